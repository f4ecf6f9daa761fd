/** Threads of notes, in the order of the music. */

import { useEffect, useRef, useState } from "preact/hooks";
import { mayComment } from "../../client/api.ts";
import { LIMITS } from "../../client/schema.ts";
import type { NoteView } from "../../client/view.ts";
import { Button } from "../parts/button.tsx";
import { noteAnchor } from "../state/actions.ts";
import { useReading, useStudio, useUi } from "../state/studio.ts";
import { NoteCard } from "./note.tsx";
import { resolveNote, writeNote, mayChange, type Where } from "./writing.ts";

export function Notes() {
  const studio = useStudio();
  const { view, meter } = useReading();
  const { thread, place } = useUi();
  const [resolved, setResolved] = useState(false);
  const heads = view.notes.filter((note) => note.parent === null && note.resolved === resolved).sort((a, b) => a.tick - b.tick || a.at - b.at);
  const where = noteAnchor(studio);
  return (
    <div class="side__body">
      <div class="tabs" role="group" aria-label="Which notes">
        <button type="button" aria-pressed={!resolved} onClick={() => setResolved(false)}>Open</button>
        <button type="button" aria-pressed={resolved} onClick={() => setResolved(true)} data-testid="notes-resolved">Resolved</button>
      </div>
      {mayComment(studio.session.role) && !resolved && (
        <Composer label={`Note at ${meter.label(place.tick)}`} focus={thread === "new"} where={{ ...where, parent: null }} />
      )}
      {heads.length === 0 && <p class="side__empty">{resolved ? "Nothing has been resolved yet." : "No open notes. Put the cursor somewhere and write what you hear there."}</p>}
      {heads.map((note) => <Thread key={note.id} head={note} replies={view.notes.filter((reply) => reply.parent === note.id && !reply.deleted)} open={thread === note.id} label={meter.label(note.tick)} />)}
    </div>
  );
}

interface ThreadProps { readonly head: NoteView; readonly replies: readonly NoteView[]; readonly open: boolean; readonly label: string }

function Thread({ head, replies, open, label }: ThreadProps) {
  const studio = useStudio();
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (open) box.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  return (
    <article ref={box} class={`thread ${open ? "thread--open" : ""}`} data-testid="thread" aria-label={`Thread at ${label}`}>
      <NoteCard note={head} label={label} />
      {replies.map((reply) => <NoteCard key={reply.id} note={reply} />)}
      {open && mayComment(studio.session.role) && <Composer label="Reply" focus={false} where={{ anchor: ["t", Math.round(head.tick), null], track: head.track, parent: head.id }} />}
      <footer class="thread__foot">
        {mayComment(studio.session.role) && !open && <Button kind="quiet" onClick={() => studio.ui.set({ thread: head.id })} testid="reply">Reply</Button>}
        {mayChange(studio, head.author) && <Button kind="quiet" onClick={() => resolveNote(studio, head.id, !head.resolved)} testid="resolve">{head.resolved ? "Reopen" : "Resolve"}</Button>}
      </footer>
    </article>
  );
}

interface ComposerProps { readonly label: string; readonly focus: boolean; readonly where: Where }

function Composer({ label, focus, where }: ComposerProps) {
  const studio = useStudio();
  const field = useRef<HTMLTextAreaElement>(null);
  const [body, setBody] = useState("");
  useEffect(() => {
    if (focus) field.current?.focus();
  }, [focus]);
  const send = (): void => {
    if (body.trim() === "") return;
    writeNote(studio, body.trim(), where);
    setBody("");
    studio.ui.set({ thread: where.parent });
  };
  return (
    <form class="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <textarea ref={field} aria-label={label} placeholder={label} rows={2} maxLength={LIMITS.body} value={body} data-testid={where.parent === null ? "note-body" : "reply-body"}
        onInput={(event) => setBody(event.currentTarget.value)} onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }} />
      <Button kind="plain" type="submit" onClick={() => undefined} disabled={body.trim() === ""} testid={where.parent === null ? "note-send" : "reply-send"}>{where.parent === null ? "Add note" : "Reply"}</Button>
    </form>
  );
}
