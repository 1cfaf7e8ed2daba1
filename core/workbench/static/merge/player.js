// Plays merged frames: each is shown, as fast as they can be made but no faster than the film.

export class Player {
  constructor(session) {
    this.session = session;
    session.player = this;
    this.playing = false;
    this.timer = 0;
  }

  toggle() {
    if (this.playing) {
      this.stop();
      return;
    }
    const {session} = this;
    if (session.number >= session.film.frames - 1) return;
    this.playing = true;
    session.say("Playing");
    this.next();
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    clearTimeout(this.timer);
    this.session.say(`Paused at frame ${this.session.number + 1}`);
  }

  shown() {
    if (!this.playing) return;
    const {session} = this;
    if (session.number >= session.film.frames - 1) {
      this.stop();
      return;
    }
    const pause = 1000 / session.film.fps - (performance.now() - this.begun);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.next(), Math.max(0, pause));
  }

  next() {
    this.begun = performance.now();
    this.session.step(1);
  }
}
