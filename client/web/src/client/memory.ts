/** Small facts kept on this device. Where the browser keeps nothing (blocked, full) they last as long as the page. */
export class Memory {
  readonly #own = new Map<string, string>();

  get(key: string): string | null {
    const own = this.#own.get(key);
    if (own !== undefined) return own;
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  set(key: string, value: string): void {
    try {
      localStorage.setItem(key, value);
      this.#own.delete(key);
    } catch {
      this.#own.set(key, value);
    }
  }
}
