// Positions of Python are code points, those of a browser are UTF-16 units: a sign beyond U+FFFF is two of them.

export class Offsets {
  constructor(text) {
    this.pairs = [];
    const pair = /[\ud800-\udbff][\udc00-\udfff]/g;
    for (let found = pair.exec(text); found; found = pair.exec(text)) this.pairs.push(found.index);
  }

  // The number of pairs that begin before a position.
  before(position, isUnit) {
    let low = 0;
    let high = this.pairs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((isUnit ? this.pairs[middle] : this.pairs[middle] - middle) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  toUnits(point) {
    return point + this.before(point, false);
  }

  toPoints(unit) {
    return unit - this.before(unit, true);
  }
}
