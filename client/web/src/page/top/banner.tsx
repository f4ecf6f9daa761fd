/** What people must know: the connection ended for good, work was put aside, something did not work. */

import { useEffect } from "preact/hooks";
import { mergedWords } from "../../client/merged.ts";
import { Button, IconButton } from "../parts/button.tsx";
import { useStore } from "../state/store.ts";
import { useStudio, useUi } from "../state/studio.ts";

const NOTICE_MS = 6000;

export function Banner() {
  const { about, ui } = useStudio();
  const { over, draft, merged } = useStore(about);
  if (over !== null) {
    return <div class="banner banner--over" role="alert" data-testid="over">{over}<Button onClick={() => location.reload()}>Reload</Button></div>;
  }
  if (draft !== null) {
    return (
      <div class="banner" role="status" data-testid="draft">
        The project changed under your unsaved edits. They are kept on this device as a draft; what you see is the project as everybody has it.
        <IconButton icon="close" label="Dismiss" onClick={() => about.set({ draft: null })} />
      </div>
    );
  }
  if (merged === null) return null;
  return (
    <div class="banner banner--good" role="status" data-testid="merged">
      {mergedWords(merged)}
      <Button kind="quiet" onClick={() => ui.set({ panel: "history" })} testid="merged-history">See the changes</Button>
      <IconButton icon="close" label="Dismiss" onClick={() => about.set({ merged: null })} />
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
