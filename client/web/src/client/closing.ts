/** What a close code means, and whether coming back makes sense. */

export type Ending =
  /** Come back soon; `slow`: the server has too much to do already, or, if there is a sentence, no place. */
  | { readonly kind: "retry"; readonly slow: boolean; readonly sentence?: string }
  /** The ticket was stale: fetch another, once. */
  | { readonly kind: "ticket" }
  /** The document's lineage changed: the local copy becomes a draft, the new one is fetched. */
  | { readonly kind: "epoch" }
  /** What this page holds will never be taken: it is put aside, and the project opens without it. */
  | { readonly kind: "aside"; readonly sentence: string }
  /** Perhaps no access any more: the API knows. If there is, what this page holds was the reason. */
  | { readonly kind: "access"; readonly sentence: string }
  | { readonly kind: "over"; readonly sentence: string };

const TOO_LARGE = "An edit was too large to be taken. Your work stays on this device.";
export const REFUSED = "The connection was refused because of something this page sent. Reload the page to go on.";
const ENDINGS: { readonly [code: number]: Ending } = {
  1009: { kind: "aside", sentence: TOO_LARGE },
  4400: { kind: "aside", sentence: REFUSED },
  4401: { kind: "ticket" },
  4403: { kind: "access", sentence: "You no longer have access to this project. Ask its owner for a new invite." },
  4404: { kind: "over", sentence: "This project does not exist any more." },
  4408: { kind: "ticket" },
  4409: { kind: "epoch" },
  4413: { kind: "aside", sentence: TOO_LARGE },
  4429: { kind: "retry", slow: true },
  1013: { kind: "retry", slow: true },
  4500: { kind: "retry", slow: true },
  4513: { kind: "retry", slow: true },
};

const RESTRICTED = "The owner lets you change only a part of this project: that edit was not taken.";
const FULL = "As many people play here as the owner's plan allows. You come in as soon as somebody leaves.";

export function ending(code: number, reason = ""): Ending {
  if (code === 4403 && reason.startsWith("restricted:")) return { kind: "aside", sentence: RESTRICTED };
  if (code === 1013 && reason.startsWith("plan:")) return { kind: "retry", slow: true, sentence: FULL };
  const known = ENDINGS[code];
  if (known !== undefined) return known;
  if (code < 4400 || code > 4499) return { kind: "retry", slow: false };
  return { kind: "over", sentence: "The server ended this connection. Reload the page to try again." };
}

const FIRST_MS = 500;
const SLOW_MS = 4000;
const LONGEST_MS = 15_000;

/**
 * How long to wait before the next attempt, `attempts` having failed; `chance` in [0, 1). It spreads over the whole
 * span: when a server restarts, its clients shall not come back as one.
 */
export function pause(attempts: number, slow: boolean, chance: number): number {
  const most = Math.min(LONGEST_MS, (slow ? SLOW_MS : FIRST_MS) * 2 ** attempts);
  return most * (0.1 + 0.9 * chance);
}
