// Asks where the points of the face in a box are. While a box is drawn only the newest question counts.

import {post} from "../lib/api.js";

export class Landmarks {
  constructor(side) {
    this.side = side;
    this.page = crypto.randomUUID();
    this.asked = 0;
    this.busy = false;
    this.next = null;
  }

  // {points, confidence}; null where something newer was asked.
  async ask(frame, box, face) {
    const ticket = ++this.asked;
    this.next = null;
    const answer = await post(`${this.side}/landmarks`, {page: this.page, frame, box, face});
    return answer.superseded || ticket !== this.asked ? null : answer;
  }

  // The same for a box that moves on: one question is under way, the newest waits. found: is called with answers.
  follow(frame, box, face, found) {
    this.next = [frame, box, face, found];
    if (!this.busy) this.goOn();
  }

  async goOn() {
    this.busy = true;
    while (this.next) {
      const [frame, box, face, found] = this.next;
      const answer = await this.ask(frame, box, face).catch(() => null);
      if (answer) found(answer);
    }
    this.busy = false;
  }

  // What was asked before does not count any more.
  forget() {
    this.asked++;
    this.next = null;
  }

  // Where a face of another frame is in this one: {points, box, confidence, aligned}.
  followTo(face, source, frame) {
    return post(`${this.side}/follow`, {page: `${this.page} follow`, face, source, frame});
  }
}
