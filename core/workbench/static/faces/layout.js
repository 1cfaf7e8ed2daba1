// Where the cells of the grid are. Cells are of one size, so a place is a division, however many there are: nothing is
// laid out beforehand, and nothing has to fit into a scroll box of the browser.

const GAP = 4;
const PAD = 10;
export const HEAD = 34;

export class Layout {
  // groups: [[name, how many], ...] in order; none: one group without a heading. cell: least edge in pixels.
  constructor(count, groups, width, cell) {
    this.count = count;
    this.columns = Math.max(1, Math.floor((width - 2 * PAD + GAP) / (cell + GAP)));
    this.pitch = Math.max(24, Math.floor((width - 2 * PAD + GAP) / this.columns));
    this.cell = this.pitch - GAP;
    this.head = groups.length ? HEAD : 0;
    const sizes = groups.length ? groups.map(([, size]) => size) : [count];
    this.names = groups.map(([name]) => name);
    this.sizes = sizes;
    this.firsts = new Float64Array(sizes.length + 1);
    this.tops = new Float64Array(sizes.length + 1);
    this.rows = new Float64Array(sizes.length + 1);
    let top = PAD;
    sizes.forEach((size, number) => {
      const rows = Math.ceil(size / this.columns);
      this.tops[number] = top;
      this.firsts[number + 1] = this.firsts[number] + size;
      this.rows[number + 1] = this.rows[number] + rows;
      top += this.head + rows * this.pitch + (this.head ? PAD : 0);
    });
    this.tops[sizes.length] = top;
    this.height = top + PAD;
    this.rowCount = this.rows[sizes.length];
  }

  // The group that holds a cell, and the one at a height.
  groupOf(index) { return last(this.firsts, index, this.sizes.length); }

  groupAt(y) { return last(this.tops, y, this.sizes.length); }

  // {x, y} of the upper left corner of a cell.
  place(index) {
    const group = this.groupOf(index);
    const inside = index - this.firsts[group];
    const row = Math.floor(inside / this.columns);
    return {
      x: PAD + (inside % this.columns) * this.pitch,
      y: this.tops[group] + this.head + row * this.pitch,
      row: this.rows[group] + row,
      column: inside % this.columns,
    };
  }

  // The rows between two heights: {y, first, end} of each; end is the cell after the last.
  rowsBetween(top, bottom) {
    const found = [];
    for (let group = this.groupAt(top); group < this.sizes.length && this.tops[group] < bottom; group++) {
      const start = this.tops[group] + this.head;
      const rows = this.rows[group + 1] - this.rows[group];
      const from = Math.max(0, Math.floor((top - start) / this.pitch));
      const to = Math.min(rows - 1, Math.floor((bottom - start) / this.pitch));
      for (let row = from; row <= to; row++) {
        const first = this.firsts[group] + row * this.columns;
        found.push({y: start + row * this.pitch, first, end: Math.min(first + this.columns, this.firsts[group + 1])});
      }
    }
    return found;
  }

  // The headings that are seen from here on: {y, group}; y from the top of what is seen. That of the first group stays there.
  headsSeen(top, height) {
    const found = [];
    if (!this.head) return found;
    for (let group = this.groupAt(top); group < this.sizes.length && this.tops[group] < top + height; group++) {
      found.push({y: Math.max(this.tops[group] - top, Math.min(0, this.tops[group + 1] - top - this.head)), group});
    }
    return found;
  }

  // The cell at a place, -1 for none.
  at(x, y) {
    const column = Math.floor((x - PAD) / this.pitch);
    if (column < 0 || column >= this.columns || x - PAD - column * this.pitch > this.cell) return -1;
    const row = this.rowsBetween(y, y)[0];
    if (!row || y < row.y || y > row.y + this.cell || row.first + column >= row.end) return -1;
    return row.first + column;
  }

  // The cells that a rectangle touches: {first, end} of each row.
  touched(x0, y0, x1, y1) {
    const from = Math.max(0, Math.ceil((x0 - PAD - this.cell) / this.pitch));
    const to = Math.min(this.columns - 1, Math.floor((x1 - PAD) / this.pitch));
    if (to < from) return [];
    return this.rowsBetween(y0, y1)
      .filter(row => row.y <= y1 && row.y + this.cell >= y0)
      .map(row => ({first: row.first + from, end: Math.min(row.first + to + 1, row.end)}))
      .filter(row => row.first < row.end);
  }

  // The cell so many rows further down (or up): in the same column, as far as there is one.
  down(index, rows) {
    const {row, column} = this.place(index);
    const wanted = Math.min(Math.max(row + rows, 0), this.rowCount - 1);
    const group = last(this.rows, wanted, this.sizes.length);
    const first = this.firsts[group] + (wanted - this.rows[group]) * this.columns;
    return Math.min(first + column, this.firsts[group + 1] - 1);
  }
}

// The last place before end whose value is not above; values ascend.
function last(values, value, end) {
  let [low, high] = [0, end];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}
