/** Names of entities: `<prefix>_<12 base 62>`, made by the client from the platform's secure random source. */

export const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
export type Prefix = "t" | "c" | "m" | "n" | "e" | "a" | "p" | "s";

/** A whole number in [0, bound). */
export type RandomBelow = (bound: number) => number;

export function secureBelow(bound: number): number {
  const limit = Math.floor(0x1_0000_0000 / bound) * bound;
  const word = new Uint32Array(1);
  do crypto.getRandomValues(word); while ((word[0] as number) >= limit);
  return (word[0] as number) % bound;
}

export function randomChars(count: number, below: RandomBelow): string {
  return Array.from({ length: count }, () => BASE62[below(62)]).join("");
}

export function newId(prefix: Prefix, below: RandomBelow = secureBelow): string {
  return `${prefix}_${randomChars(12, below)}`;
}

/** The right half of a split has a derived name, so that two people splitting at one place make one clip. */
export function splitId(take: string, contentTick: number): string {
  return `${take}@${contentTick}`;
}
