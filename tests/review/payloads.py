"""Words that would be more than words on a page that is careless with them."""

_CALL = "window.hit=1"
PAYLOADS = [
    f"<script>{_CALL}</script>",
    f"<img src=x onerror={_CALL}>",
    f'"><svg onload={_CALL}>',
    f"'><iframe srcdoc='<script>parent.{_CALL}</script>'></iframe>",
    f"javascript:{_CALL}",
    f"</title><script>{_CALL}</script>",
    f"</textarea><script>{_CALL}</script>",
    f"<a href=javascript:{_CALL}>open</a>",
    f"<body onload={_CALL}>",
    f"<details open ontoggle={_CALL}>",
    f"<math><mtext><script>{_CALL}</script></mtext></math>",
    f"<svg><script>{_CALL}</script></svg>",
    f"<video><source onerror={_CALL}></video>",
    f"<input autofocus onfocus={_CALL}>",
    f"<marquee onstart={_CALL}>",
    f"<object data='data:text/html,<script>{_CALL}</script>'></object>",
    f"<embed src='javascript:{_CALL}'>",
    "<link rel=stylesheet href=http://evil.invalid/x.css>",
    "<style>@import 'http://evil.invalid/x.css';</style>",
    "<base href=http://evil.invalid/>",
    "<meta http-equiv=refresh content='0;url=http://evil.invalid/'>",
    "<form action=http://evil.invalid/><button>go</button></form>",
    "<img src=http://evil.invalid/pixel.png>",
    "url(http://evil.invalid/x)",
    f"{{{{constructor.constructor('{_CALL}')()}}}}",
    f"${{{_CALL}}}",
    f"`-{_CALL}-`",
    f"';{_CALL};//",
    f'";{_CALL};//',
    f"--><script>{_CALL}</script><!--",
    f"]]><script>{_CALL}</script>",
    f"&lt;script&gt;{_CALL}&lt;/script&gt;",
    f"\\u003cscript\\u003e{_CALL}\\u003c/script\\u003e",
    f"%3Cscript%3E{_CALL}%3C/script%3E",
    "\u202eevil\u202c backwards",
    "\u0000\u0007\u001b[2Jcontrols",
    "zero\u200bwidth\u2060words\ufeff",
    "../../../../etc/passwd",
    "__proto__",
    "'; DROP TABLE documents; --",
]
SPOILT = """() => [
  ...(window.hit ? ['ran'] : []),
  ...[...document.querySelectorAll('head style, head base, body *')]
    .filter((e) => e.matches('iframe, object, embed, style, base, video, marquee, math, script, link, meta')
      || [...e.attributes].some((a) => a.name.startsWith('on') || /^\\s*javascript:/i.test(a.value)))
    .map((e) => e.outerHTML),
]"""
"""What a page holds that is not its own: elements that payloads would make, handlers, and whether any ran."""
