/** One open project on the screen; opens it again when its lineage or one's rights change. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Api, Project, User } from "../client/api.ts";
import { bringHome } from "../client/lineage.ts";
import type { Memory } from "../client/memory.ts";
import { all } from "../client/pages.ts";
import { Session } from "../client/session.ts";
import { leftBehind, type Place } from "../client/storage.ts";
import { Dialogs } from "./dialogs/dialogs.tsx";
import { SidePanel } from "./panels/side.tsx";
import { useKeyboard } from "./state/keyboard.ts";
import { useCall } from "./state/call.ts";
import { useSound } from "./state/sound.ts";
import { Store, useChanges, useStore } from "./state/store.ts";
import { StudioContext, useStudio, type ProjectState, type Studio } from "./state/studio.ts";
import { newUi } from "./state/ui.ts";
import { Timeline } from "./timeline/timeline.tsx";
import { Banner, Notice } from "./top/banner.tsx";
import { TopBar } from "./top/bar.tsx";
import { Tools } from "./top/tools.tsx";

interface WorkspaceProps { readonly api: Api; readonly memory: Memory; readonly me: User; readonly project: Project }

export function Workspace({ api, memory, me, project }: WorkspaceProps) {
  const about = useMemo(() => new Store<ProjectState>({ project, restriction: null, members: [], options: null, over: null, draft: null, merged: null }), [project]);
  const ui = useMemo(newUi, [project]);
  const [opening, setOpening] = useState(0);
  const [session, setSession] = useState<Session | null>(null);
  useEffect(() => {
    let current: Session | null = null;
    let left = false;
    void open().then((opened) => {
      current = opened;
      if (left) void opened.close();
      else setSession(opened);
    });
    return () => {
      left = true;
      void current?.close();
    };

    async function open(): Promise<Session> {
      const fresh = opening === 0 ? project : await api.project(project.id).catch(() => project);
      about.set({ project: fresh });
      const place = { project: project.id, epoch: fresh.epoch, user: me.id };
      void offer(leftBehind(place, memory));
      return Session.open({
        api, project: project.id, user: me, role: fresh.role, epoch: fresh.epoch, memory,
        on: {
          role: (role, restriction) => about.set({ project: { ...about.value.project, role }, restriction }),
          reopen: (draft) => {
            about.set({ draft: draft ?? about.value.draft });
            setOpening((count) => count + 1);
          },
          merged: (merged) => about.set({ merged }),
          over: (sentence) => about.set({ over: sentence }),
          notice: (sentence) => ui.set({ notice: sentence }),
        },
      });
    }
    /** What an earlier epoch left on this device; what cannot be offered now waits for the next opening. */
    async function offer(places: readonly Place[]): Promise<void> {
      for (const place of places) {
        const owed = await bringHome(place, () => api.ticket(project.id), memory).catch(() => true);
        if (owed) about.set({ draft: "lineage" });
      }
    }
  }, [project, opening]);
  useEffect(() => void all((cursor) => api.members(project.id, cursor)).then((members) => about.set({ members }), () => undefined), [project]);
  const sound = useSound(session, api, project.id, (sentence) => ui.set({ notice: sentence }));
  const call = useCall(api, project.id);
  if (session === null || sound === null) return <main class="still" aria-busy="true"><p class="still__quiet">Opening {project.name}…</p></main>;
  return <StudioContext.Provider value={{ api, me, session, sound, call, ui, about }} key={opening}><Screen /></StudioContext.Provider>;
}

function Screen() {
  const studio: Studio = useStudio();
  const { project } = useStore(studio.about);
  const { panel } = useStore(studio.ui);
  const name = useProjectName(studio) ?? project.name;
  useKeyboard(studio);
  useMembers(studio);
  useEffect(() => void (document.title = `${name} · Backline`), [name]);
  return (
    <div class={`studio ${panel === null ? "" : "studio--panel"}`}>
      <TopBar name={name} />
      <Tools />
      <Banner />
      <Timeline />
      {panel !== null && <SidePanel panel={panel} />}
      <Dialogs />
      <Notice />
    </div>
  );
}

/** The document's own name is the newest. */
function useProjectName({ session }: Studio): string | null {
  useChanges(session.mirror);
  const name = session.mirror.current.meta["name"];
  return typeof name === "string" ? name : null;
}

/** Somebody unknown came in: ask who belongs to the project now. */
function useMembers({ api, session, about }: Studio): void {
  useEffect(() => {
    const asked = new Set<string>();
    return session.presence.subscribe(() => {
      const known = new Set(about.value.members.map((member) => member.user.id));
      const strangers = session.presence.others().filter((peer) => !known.has(peer.user.id) && !asked.has(peer.user.id));
      if (strangers.length === 0) return;
      for (const peer of strangers) asked.add(peer.user.id);
      void all((cursor) => api.members(about.value.project.id, cursor)).then((members) => about.set({ members }), () => undefined);
    });
  }, [session]);
}
