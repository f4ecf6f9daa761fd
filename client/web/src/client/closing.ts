/** What a close code means to a person, and whether coming back makes sense. */

export type Ending =
  | { readonly kind: "retry" }
  /** The ticket was stale: fetch another, once. */
  | { readonly kind: "ticket" }
  /** The document's lineage changed: the local copy becomes a draft, the new one is fetched. */
  | { readonly kind: "epoch" }
  | { readonly kind: "over"; readonly sentence: string };

const SENTENCES: { readonly [code: number]: string } = {
  4400: "The connection was refused because of something this page sent. Reload the page to go on.",
  4403: "You no longer have access to this project. Ask its owner for a new invite.",
  4404: "This project does not exist any more.",
  4413: "An edit was too large to be taken. Your work stays on this device; undo the last step and reload.",
  4429: "Too many edits came at once. Wait a moment, then reload the page.",
};

export function ending(code: number): Ending {
  if (code === 4401 || code === 4408) return { kind: "ticket" };
  if (code === 4409) return { kind: "epoch" };
  if (code < 4400 || code > 4499) return { kind: "retry" };
  return { kind: "over", sentence: SENTENCES[code] ?? "The server ended this connection. Reload the page to try again." };
}
