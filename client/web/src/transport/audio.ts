/** From the page's clock to the audio clock: which sample is heard when. */

const READINGS = 64;

export class AudioTime {
  readonly #context: AudioContext;
  #offsets: number[] = [];

  constructor(context: AudioContext) {
    this.#context = context;
  }

  /** Looks at both clocks once; single readings jitter by a buffer, so many are kept. */
  look(): void {
    if (this.#context.state !== "running") {
      this.#offsets = [];
      return;
    }
    const { contextTime = 0, performanceTime = 0 } = this.#context.getOutputTimestamp?.() ?? {};
    const heard = contextTime > 0 && performanceTime > 0;
    const offset = heard ? performanceTime / 1000 - contextTime : performance.now() / 1000 - this.#context.currentTime + (this.#context.outputLatency ?? 0);
    this.#offsets = [...this.#offsets, offset].slice(-READINGS);
  }

  get known(): boolean {
    return this.#offsets.length > 0;
  }

  /** The context time of what is to be heard at `local` (performance.now()). */
  at(local: number): number {
    const sorted = this.#offsets.toSorted((a, b) => a - b);
    return local / 1000 - (sorted[sorted.length >> 1] ?? 0);
  }
}
