from extractor.cli.main import entry

entry()
