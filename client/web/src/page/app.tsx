/** The page: finds out who is there and what they came for, then opens it. */

import { useEffect, useState } from "preact/hooks";
import { Api, ApiError, Unreachable, type Invitation, type Project, type User } from "../client/api.ts";
import { Memory } from "../client/memory.ts";
import { Join } from "./join.tsx";
import { projectPath, route } from "./route.ts";
import { Workspace } from "./workspace.tsx";
import { homeProject, knownProject, visitor } from "./visitor.ts";

type Stage =
  | { readonly at: "opening" }
  | { readonly at: "studio"; readonly me: User; readonly project: Project }
  | { readonly at: "join"; readonly token: string; readonly invitation: Invitation }
  | { readonly at: "trouble"; readonly title: string; readonly text: string };

const api = new Api();
const memory = new Memory();

async function arrive(): Promise<Stage> {
  const where = route(location.pathname);
  const me = await visitor(api, memory);
  if (where.at === "join") return { at: "join", token: where.token, invitation: await api.invitation(where.token).catch(badInvite) };
  const id = where.at === "project" ? where.id : await homeProject(api);
  if (where.at === "start") history.replaceState(null, "", projectPath(id));
  return { at: "studio", me, project: await knownProject(api, memory, id) };
}

function badInvite(error: unknown): never {
  if (error instanceof ApiError && error.status < 500) throw new ApiError(error.status, error.code, "This invite link has been used up, taken back or mistyped. Ask for a new one.");
  throw error;
}

function trouble(error: unknown): Stage {
  if (error instanceof Unreachable) return { at: "trouble", title: "Backline is out of reach", text: "The server does not answer. Check your connection; this page tries again by itself." };
  if (error instanceof ApiError && error.status === 404) return { at: "trouble", title: "Nothing here", text: error.message };
  return { at: "trouble", title: "That did not work", text: error instanceof Error ? error.message : String(error) };
}

const RETRY_MS = 4000;

export function App() {
  const [stage, setStage] = useState<Stage>({ at: "opening" });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const open = (): void => void arrive().then(setStage, (error: unknown) => {
      setStage(trouble(error));
      if (error instanceof Unreachable) timer = setTimeout(open, RETRY_MS);
    });
    open();
    return () => clearTimeout(timer);
  }, []);
  switch (stage.at) {
    case "opening":
      return <main class="still" aria-busy="true"><p class="still__quiet">Opening the studio…</p></main>;
    case "studio":
      return <Workspace api={api} memory={memory} me={stage.me} project={stage.project} />;
    case "join":
      return <Join api={api} token={stage.token} invitation={stage.invitation} />;
    case "trouble":
      return <Trouble title={stage.title} text={stage.text} />;
  }
}

const Trouble = ({ title, text }: { readonly title: string; readonly text: string }) => (
  <main class="still" data-testid="trouble">
    <h1>{title}</h1>
    <p>{text}</p>
    <a class="button button--main" href="/">Go to my projects</a>
  </main>
);
