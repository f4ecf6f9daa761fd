/** Notes: editors write them into the document, commenters ask the server to. */

import { mayEdit } from "../../client/api.ts";
import * as edits from "../../client/edits.ts";
import type { Anchor } from "../../client/schema.ts";
import { notice } from "../state/actions.ts";
import type { Studio } from "../state/studio.ts";

export interface Where { readonly anchor: Anchor; readonly track: string | null; readonly parent: string | null }

function asked(studio: Studio, request: Promise<unknown>): void {
  request.catch((error: Error) => notice(studio, error.message));
}

export function writeNote(studio: Studio, body: string, { anchor, track, parent }: Where): void {
  const { session, api, about } = studio;
  if (mayEdit(session.role)) edits.addNote(session.pen, { body, anchor, track, parent });
  else asked(studio, api.addNote(about.value.project.id, { body, anchor, track, parent }));
}

export function resolveNote(studio: Studio, id: string, resolved: boolean): void {
  const { session, api, about } = studio;
  if (mayEdit(session.role)) edits.resolveNote(session.pen, id, resolved);
  else asked(studio, api.editNote(about.value.project.id, id, { resolved }));
}

export function changeNote(studio: Studio, id: string, body: string): void {
  const { session, api, about } = studio;
  if (mayEdit(session.role)) edits.editNote(session.pen, id, body);
  else asked(studio, api.editNote(about.value.project.id, id, { body }));
}

export function dropNote(studio: Studio, id: string): void {
  const { session, api, about } = studio;
  if (mayEdit(session.role)) edits.deleteNote(session.pen, id);
  else asked(studio, api.deleteNote(about.value.project.id, id));
}

/** Commenters may change what they wrote themselves. */
export const mayChange = ({ session, me }: Studio, author: string | null): boolean =>
  mayEdit(session.role) || (session.role === "commenter" && author === me.id);
