// Plays the frames, as fast as they come but no faster than the film.

export class Player {
  constructor(session) {
    this.session = session;
    session.player = this;
    this.playing = false;
    this.timer = 0;
  }

  toggle() {
    if (this.playing) this.stop();
    else this.start();
  }

  start() {
    const {session} = this;
    if (!session.lanes || session.number >= session.lanes.frames - 1) return;
    this.playing = true;
    this.begun = performance.now();
    this.from = session.number;
    this.next();
    session.say("Playing");
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    clearTimeout(this.timer);
    this.session.say(`Paused at frame ${this.session.number + 1}`);
  }

  // The frame that was asked for is shown: on to the one that is due.
  shown() {
    if (!this.playing || this.waiting) return;
    this.next();
  }

  next() {
    const {session} = this;
    const pause = 1000 / session.lanes.fps;
    const due = this.begun + (session.number + 1 - this.from) * pause;
    this.waiting = true;
    this.timer = setTimeout(() => {
      this.waiting = false;
      if (!this.playing) return;
      const late = Math.floor((performance.now() - this.begun) / pause) + this.from;
      // Behind by more than a quarter of a second: the film slows down instead of leaving frames out.
      if (late > session.number + session.lanes.fps / 4) {
        this.begun = performance.now();
        this.from = session.number;
      }
      if (session.number + 1 >= session.lanes.frames) this.stop();
      else session.go(session.number + 1);
    }, Math.max(0, due - performance.now()));
  }
}
