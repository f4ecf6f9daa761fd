/** Edits of effects. */

import { bringBack, remove, type Pen } from "./pen.ts";

export function deleteEffect(pen: Pen, id: string): void {
  remove(pen, "effects", [id]);
}

export function undeleteEffect(pen: Pen, id: string): void {
  bringBack(pen, "effects", [id]);
}
