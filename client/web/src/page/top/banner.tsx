/** What people must know: the connection ended for good, work was put aside, something did not work. */

import { useEffect, useState } from "preact/hooks";
import { mergedWords } from "../../client/merged.ts";
import { Button, IconButton } from "../parts/button.tsx";
import { useStore } from "../state/store.ts";
import { useStudio, useUi } from "../state/studio.ts";

const NOTICE_MS = 6000;
/** The server keeps a draft while it ends the connection: it may come a moment later. */
const RECENT_MS = 60_000;
const ASKED_MAX = 10;

export function Banner() {
  const { about, ui } = useStudio();
  const { over, draft, merged } = useStore(about);
  if (over !== null) {
    return <div class="banner banner--over" role="alert" data-testid="over">{over}<Button onClick={() => location.reload()}>Reload</Button></div>;
  }
  if (draft !== null) return <PutAside />;
  if (merged === null) return null;
  return (
    <div class="banner banner--good" role="status" data-testid="merged">
      {mergedWords(merged)}
      <Button kind="quiet" onClick={() => ui.set({ panel: "history" })} testid="merged-history">See the changes</Button>
      <IconButton icon="close" label="Dismiss" onClick={() => about.set({ merged: null })} />
    </div>
  );
}

/** What could not be merged stays on this device; what reached the server is a draft there as well. */
function PutAside() {
  const { api, about, ui } = useStudio();
  const [reached, setReached] = useState(false);
  useEffect(() => {
    let asked = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const since = Date.now() - RECENT_MS;
    const look = (): void => void api.snapshots(about.value.project.id, "draft").then((page) => {
      asked += 1;
      if (page.items.some((item) => Date.parse(item.created_at) > since)) setReached(true);
      else if (asked < ASKED_MAX) timer = setTimeout(look, 1000);
    }, () => undefined);
    look();
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="banner" role="status" data-testid="put-aside">
      Your unsaved edits could not be merged into the project. They are kept {reached ? "as a draft of yours" : "on this device"}; what you see is the project as everybody has it.
      {reached && <Button kind="quiet" onClick={() => ui.set({ panel: "history" })} testid="show-drafts">Show the draft</Button>}
      <IconButton icon="close" label="Dismiss" onClick={() => about.set({ draft: null })} />
    </div>
  );
}

export function Notice() {
  const { ui } = useStudio();
  const { notice } = useUi();
  useEffect(() => {
    if (notice === null) return;
    const timer = setTimeout(() => ui.set({ notice: null }), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return notice === null ? null : <div class="notice" role="status" data-testid="notice">{notice}</div>;
}
