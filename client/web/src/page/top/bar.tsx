/** The top of the page: which project, whether it is saved, who is here, what else can be opened. */

import { useState } from "preact/hooks";
import { LIMITS } from "../../client/schema.ts";
import { IconButton, Button } from "../parts/button.tsx";
import { Editable } from "../parts/editable.tsx";
import { Icon } from "../parts/icons.tsx";
import { notice } from "../state/actions.ts";
import { useWhyNotAction } from "../state/rights.ts";
import { useStore } from "../state/store.ts";
import { useReading, useStudio, useUi } from "../state/studio.ts";
import type { Panel } from "../state/ui.ts";
import mark from "../mark.svg";
import { SavedLight } from "./light.tsx";
import { PeopleBar } from "./people.tsx";
import { VoiceLight } from "./voice.tsx";

export function TopBar({ name }: { readonly name: string }) {
  const studio = useStudio();
  const { ui, about, api } = studio;
  const { project } = useStore(about);
  const why = useWhyNotAction("rename");
  const [naming, setNaming] = useState(false);
  const rename = (typed: string | null): void => {
    setNaming(false);
    if (typed === null) return;
    api.renameProject(project.id, typed).then((fresh) => about.set({ project: fresh }), (error: Error) => notice(studio, error.message));
  };
  return (
    <header class="top">
      <button type="button" class="top__mark" aria-label="My projects" title="My projects" onClick={() => ui.set({ dialog: "projects" })} data-testid="projects">
        <img src={mark} alt="" width="24" height="24" /><Icon name="chevron" />
      </button>
      <h1 class="top__name" data-testid="project-name">
        <Editable value={name} label="Project name" max={LIMITS.name} editing={naming} tabbable onDone={rename} onStart={why === null ? () => setNaming(true) : undefined} />
      </h1>
      <RoleBadge />
      <SavedLight />
      <div class="top__space" />
      <VoiceLight />
      <PeopleBar />
      {project.role === "owner" && <Button kind="main" onClick={() => ui.set({ dialog: "share" })} testid="share"><Icon name="share" />Share</Button>}
      <PanelButtons />
    </header>
  );
}

const BADGES = { viewer: "View only", commenter: "Can write notes" } as const;

function RoleBadge() {
  const { role } = useStore(useStudio().about).project;
  return role === "viewer" || role === "commenter" ? <span class="role-badge" data-testid="role-badge">{BADGES[role]}</span> : null;
}

function PanelButtons() {
  const { ui } = useStudio();
  const { panel } = useUi();
  const { view } = useReading();
  const open = view.notes.filter((note) => note.parent === null && !note.resolved && !note.deleted).length;
  const toggle = (which: Panel) => () => ui.set({ panel: panel === which ? null : which, thread: null });
  return (
    <nav class="top__panels" aria-label="Panels">
      <IconButton icon="note" label="Notes" pressed={panel === "notes"} onClick={toggle("notes")} badge={open} testid="panel-notes" />
      <IconButton icon="history" label="History" pressed={panel === "history"} onClick={toggle("history")} testid="panel-history" />
      <IconButton icon="trash" label="Trash" pressed={panel === "trash"} onClick={toggle("trash")} testid="panel-trash" />
      <IconButton icon="keyboard" label="Keyboard shortcuts" keys="?" onClick={() => ui.set({ dialog: "shortcuts" })} testid="shortcuts" />
    </nav>
  );
}
