/** The HTTP API, typed. Errors are thrown as `ApiError` with the server's code; no answer at all as `Unreachable`. */

export type Role = "owner" | "editor" | "commenter" | "viewer";
export type InviteRole = Exclude<Role, "owner">;
export interface Person { readonly id: string; readonly name: string; readonly color: string }
export interface User extends Person { readonly username: string; readonly kind: "guest" | "member" }
export interface Project { readonly id: string; readonly name: string; readonly role: Role; readonly owner: Person; readonly member_count: number; readonly epoch: number; readonly created_at: string; readonly updated_at: string }
export type OptionName = "editors_restore" | "commenters_transport" | "readers_export" | "viewers_listen";
/** What a project decides for itself. */
export type Options = Readonly<Record<OptionName, boolean>>;
/** What an editor may change, if not everything. */
export interface Restriction { readonly only: "mix" | "markers" | "tracks"; readonly tracks?: readonly string[] | null }
export interface Member { readonly user: Person; readonly role: Role; readonly credited: boolean; readonly restriction: Restriction | null; readonly joined_at: string }
export interface Invite { readonly id: string; readonly role: InviteRole; readonly max_uses: number | null; readonly uses: number; readonly expires_at: string }
/** Its secret is shown this once. */
export interface FreshInvite extends Invite { readonly token: string; readonly url: string }
export interface Invitation { readonly project: { readonly id: string; readonly name: string }; readonly role: InviteRole; readonly invited_by: Omit<Person, "id"> | null }
export interface Ticket { readonly ticket: string; readonly role: Role; readonly restriction: Restriction | null; readonly ws_url: string; readonly expires_at: string; readonly epoch: number; readonly user: Person }
export interface Snapshot { readonly id: string; readonly name: string; readonly kind: "named" | "automatic" | "draft"; readonly reason?: string | null; readonly created_at: string; readonly author: Person | null }
export interface Change { readonly seq: number; readonly at: string; readonly author: Person | null; readonly origin: string; readonly edits: number; readonly paths: readonly string[] }
export interface Difference { readonly text: string }
/** A track that somebody else holds, and was left as it is. */
export interface TrackLock { readonly track: string; readonly user: string; readonly until: number }
export interface Restored { readonly changes: number; readonly locked: readonly TrackLock[] }
/** What somebody did in one go, in the rows `first_seq` to `seq`; `kept` while the document after it can be rebuilt. */
export interface Moment { readonly seq: number; readonly first_seq: number; readonly began_at: string; readonly at: string; readonly author: Person | null; readonly origin: string; readonly edits: number; readonly text: string; readonly kept: boolean }
export interface MomentFilter { readonly person?: string | undefined; readonly track?: string | undefined; readonly from?: string | undefined; readonly to?: string | undefined }
export interface Undone { readonly changes: number; readonly skipped: readonly { readonly text: string; readonly reason: string; readonly by: Person | null }[] }
export interface DeletedProject { readonly id: string; readonly name: string; readonly deleted_at: string; readonly purge_at: string }
export interface VoiceMember { readonly user: Person; readonly role: Role; readonly muted: boolean; readonly joined_at: string }
export interface VoiceRoom { readonly provider: string; readonly listen: boolean; readonly speak: boolean; readonly viewers_listen: boolean; readonly participants_max: number; readonly participants: readonly VoiceMember[] }
export interface VoiceToken { readonly provider: string; readonly url: string; readonly token: string; readonly room: string; readonly expires_at: string }
export interface Page<T> { readonly items: readonly T[]; readonly next_cursor: string | null }
export interface NoteBody { readonly body: string; readonly anchor?: readonly unknown[]; readonly track?: string | null; readonly parent?: string | null }

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** What else the refusal says. */
  readonly detail: { readonly [key: string]: unknown };

  constructor(status: number, code: string, message: string, detail: { readonly [key: string]: unknown } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("Backline cannot be reached right now.", { cause });
    this.name = "Unreachable";
  }
}

interface ErrorBody { readonly error?: { readonly code?: string; readonly message?: string; readonly [key: string]: unknown } }
type Method = "GET" | "POST" | "PATCH" | "DELETE";

async function failure(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  const message = body.error?.message ?? `The server answered ${response.status}.`;
  return new ApiError(response.status, body.error?.code ?? "unknown", message, body.error);
}

/** A gateway that found nobody, or a server that says what it cannot reach: without voice the rest goes on. */
async function outage(response: Response): Promise<Error> {
  const told = await failure(response);
  return told.code.startsWith("voice_") ? told : new Unreachable(response.status);
}

export interface ApiOptions { readonly base?: string; readonly token?: string; readonly fetch?: typeof fetch }

export class Api {
  readonly #base: string;
  readonly #token: string | null;
  readonly #fetch: typeof fetch;

  /** Without a token the browser's session cookie speaks. `base` is "" for the page's own origin. */
  constructor(options: ApiOptions = {}) {
    this.#base = options.base ?? "";
    this.#token = options.token ?? null;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  async #call<T>(method: Method, path: string, body?: object): Promise<T> {
    const response = await this.#ask(method, path, body);
    return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
  }

  async #ask(method: Method, path: string, body?: object): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (this.#token !== null) headers["authorization"] = `Bearer ${this.#token}`;
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await this.#fetch(`${this.#base}/api${path}`, init).catch((cause: unknown) => {
      throw new Unreachable(cause);
    });
    if (response.status >= 502 && response.status <= 504) throw await outage(response);
    if (!response.ok) throw await failure(response);
    return response;
  }

  createGuest = (name?: string): Promise<{ user: User; token: string }> => this.#call("POST", "/guests", name === undefined ? {} : { name });
  me = (): Promise<{ user: User }> => this.#call("GET", "/me");
  updateMe = (changes: { name?: string; color?: string }): Promise<{ user: User }> => this.#call("PATCH", "/me", changes);

  projects = (cursor?: string): Promise<Page<Project>> => this.#call("GET", `/projects${page(cursor)}`);
  createProject = (name?: string): Promise<Project> => this.#call("POST", "/projects", name === undefined ? {} : { name });
  project = (id: string): Promise<Project> => this.#call("GET", `/projects/${id}`);
  renameProject = (id: string, name: string): Promise<Project> => this.#call("PATCH", `/projects/${id}`, { name });
  deleteProject = (id: string): Promise<void> => this.#call("DELETE", `/projects/${id}`);

  options = (id: string): Promise<Options> => this.#call("GET", `/projects/${id}/options`);
  setOptions = (id: string, changes: Partial<Options>): Promise<Options> => this.#call("PATCH", `/projects/${id}/options`, changes);
  /** The whole document as one Yjs update. */
  exported = (id: string): Promise<Blob> => this.#ask("GET", `/projects/${id}/export`).then((response) => response.blob());

  members = (id: string, cursor?: string): Promise<Page<Member>> => this.#call("GET", `/projects/${id}/members${page(cursor)}`);
  setRole = (id: string, user: string, role: Role): Promise<Member> => this.#call("PATCH", `/projects/${id}/members/${user}`, { role });
  setRestriction = (id: string, user: string, restriction: Restriction | null): Promise<Member> => this.#call("PATCH", `/projects/${id}/members/${user}`, { restriction });
  transferProject = (id: string, user: string): Promise<Project> => this.#call("POST", `/projects/${id}/transfer`, { user_id: user });
  lockTrack = (id: string, track: string): Promise<unknown> => this.#call("POST", `/projects/${id}/tracks/${encodeURIComponent(track)}/lock`);
  unlockTrack = (id: string, track: string): Promise<void> => this.#call("DELETE", `/projects/${id}/tracks/${encodeURIComponent(track)}/lock`);
  removeMember = (id: string, user: string): Promise<void> => this.#call("DELETE", `/projects/${id}/members/${user}`);

  createInvite = (id: string, role: InviteRole, maxUses: number | null): Promise<FreshInvite> => this.#call("POST", `/projects/${id}/invites`, { role, max_uses: maxUses });
  invites = (id: string, cursor?: string): Promise<Page<Invite>> => this.#call("GET", `/projects/${id}/invites${page(cursor)}`);
  withdrawInvite = (id: string, invite: string): Promise<void> => this.#call("DELETE", `/projects/${id}/invites/${invite}`);
  invitation = (token: string): Promise<Invitation> => this.#call("GET", `/invites/${encodeURIComponent(token)}`);
  acceptInvite = (token: string): Promise<{ project: Project }> => this.#call("POST", `/invites/${encodeURIComponent(token)}/accept`);

  ticket = (id: string): Promise<Ticket> => this.#call("POST", `/projects/${id}/ticket`);

  addNote = (id: string, note: NoteBody): Promise<unknown> => this.#call("POST", `/projects/${id}/notes`, note);
  editNote = (id: string, note: string, changes: { body?: string; resolved?: boolean }): Promise<unknown> => this.#call("PATCH", `/projects/${id}/notes/${note}`, changes);
  deleteNote = (id: string, note: string): Promise<void> => this.#call("DELETE", `/projects/${id}/notes/${note}`);

  snapshots = (id: string, kind: Snapshot["kind"], cursor?: string): Promise<Page<Snapshot>> => this.#call("GET", `/projects/${id}/snapshots${query({ kind, cursor })}`);
  createSnapshot = (id: string, name: string, seq?: number): Promise<Snapshot> => this.#call("POST", `/projects/${id}/snapshots`, seq === undefined ? { name } : { name, seq });
  compareSnapshot = (id: string, snapshot: string, cursor?: string): Promise<Page<Difference>> => this.#call("GET", `/projects/${id}/snapshots/${snapshot}/compare${page(cursor)}`);
  restoreSnapshot = (id: string, snapshot: string): Promise<Restored> => this.#call("POST", `/projects/${id}/snapshots/${snapshot}/restore`);
  forkSnapshot = (id: string, snapshot: string, name?: string): Promise<Project> => this.#call("POST", `/projects/${id}/snapshots/${snapshot}/fork`, name === undefined ? {} : { name });

  voice = (id: string): Promise<VoiceRoom> => this.#call("GET", `/projects/${id}/voice`);
  enterVoice = (id: string): Promise<VoiceToken> => this.#call("POST", `/projects/${id}/voice`);
  leaveVoice = (id: string): Promise<void> => this.#call("DELETE", `/projects/${id}/voice`);
  muteVoice = (id: string, user: string, muted: boolean): Promise<void> => this.#call("PATCH", `/projects/${id}/voice/participants/${user}`, { muted });
  removeVoice = (id: string, user: string): Promise<void> => this.#call("DELETE", `/projects/${id}/voice/participants/${user}`);

  moments = (id: string, filter: MomentFilter, cursor?: string): Promise<Page<Moment>> => this.#call("GET", `/projects/${id}/moments${query({ ...filter, cursor })}`);
  compareMoment = (id: string, seq: number, filter: MomentFilter, cursor?: string): Promise<Page<Difference>> => this.#call("GET", `/projects/${id}/moments/${seq}/compare${query({ person: filter.person, track: filter.track, cursor })}`);
  restoreMoment = (id: string, seq: number, track?: string): Promise<Restored> => this.#call("POST", `/projects/${id}/moments/${seq}/restore`, track === undefined ? {} : { track });
  undoChange = (id: string, person: string, from: number, to: number): Promise<Undone> => this.#call("POST", `/projects/${id}/changes/undo`, { person, from_seq: from, to_seq: to });
  purge = (id: string, root: string, entity: string): Promise<void> => this.#call("DELETE", `/projects/${id}/trash/${root}/${encodeURIComponent(entity)}`);
  deletedProjects = (cursor?: string): Promise<Page<DeletedProject>> => this.#call("GET", `/trash${page(cursor)}`);
  undeleteProject = (id: string): Promise<Project> => this.#call("POST", `/projects/${id}/undelete`);

  history = (id: string, cursor?: string): Promise<Page<Change>> => this.#call("GET", `/projects/${id}/history${page(cursor)}`);
}

const page = (cursor: string | undefined): string => query({ cursor });

function query(wanted: { readonly [key: string]: string | undefined }): string {
  const given = Object.entries(wanted).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

export const mayEdit = (role: Role): boolean => role === "owner" || role === "editor";
export const mayComment = (role: Role): boolean => role !== "viewer";
