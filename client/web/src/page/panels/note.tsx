/** One note of a thread. */

import { useState } from "preact/hooks";
import { LIMITS } from "../../client/schema.ts";
import type { NoteView } from "../../client/view.ts";
import { ago } from "../parts/ago.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Button } from "../parts/button.tsx";
import { Menu, MenuItem } from "../parts/menu.tsx";
import { putPlace } from "../state/select.ts";
import { usePeople, useStudio } from "../state/studio.ts";
import { changeNote, dropNote, mayChange } from "./writing.ts";

const UNKNOWN = { name: "Somebody", color: "#5b6470" };

export function NoteCard({ note, label }: { readonly note: NoteView; readonly label?: string }) {
  const studio = useStudio();
  const author = usePeople().get(note.author ?? "") ?? UNKNOWN;
  const [editing, setEditing] = useState(false);
  if (note.deleted) return <div class="note note--gone">This note was removed.</div>;
  return (
    <div class="note" data-testid="note">
      <header class="note__head">
        <Avatar person={author} />
        <span class="note__author">{author.name}</span>
        <time class="note__at" dateTime={new Date(note.at).toISOString()}>{ago(note.at)}</time>
        {label !== undefined && <button type="button" class="note__place" title="Put the cursor there" onClick={() => putPlace(studio, { tick: note.tick, track: note.track })}>{label}</button>}
        {mayChange(studio, note.author) && (
          <Menu icon="more" label="More about this note">
            {(close) => (
              <>
                <MenuItem onClick={() => { close(); setEditing(true); }}>Edit</MenuItem>
                <MenuItem danger onClick={() => { close(); dropNote(studio, note.id); }}>Delete</MenuItem>
              </>
            )}
          </Menu>
        )}
      </header>
      {editing ? <NoteEditor body={note.body} onDone={(body) => { setEditing(false); if (body !== null) changeNote(studio, note.id, body); }} /> : <p class="note__body">{note.body}</p>}
    </div>
  );
}

function NoteEditor({ body, onDone }: { readonly body: string; readonly onDone: (body: string | null) => void }) {
  const [typed, setTyped] = useState(body);
  return (
    <div class="composer">
      <textarea aria-label="Note" rows={3} maxLength={LIMITS.body} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} onKeyDown={(event) => event.key === "Escape" && onDone(null)} />
      <div class="composer__row">
        <Button kind="quiet" onClick={() => onDone(null)}>Cancel</Button>
        <Button onClick={() => onDone(typed.trim() || null)}>Keep</Button>
      </div>
    </div>
  );
}
