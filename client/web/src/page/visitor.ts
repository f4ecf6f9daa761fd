/** Who is at the page: the account of the session cookie, or a guest made on the spot. */

import { ApiError, Unreachable, type Api, type Project, type User } from "../client/api.ts";
import type { Memory } from "../client/memory.ts";

const USER_KEY = "backline.user";
const projectKey = (id: string): string => `backline.project.${id}`;

/** What was last known, for a start without a network. */
async function remembered<T>(memory: Memory, key: string, fresh: () => Promise<T>): Promise<T> {
  try {
    const value = await fresh();
    memory.set(key, JSON.stringify(value));
    return value;
  } catch (error) {
    const known = memory.get(key);
    if (error instanceof Unreachable && known !== null) return JSON.parse(known) as T;
    throw error;
  }
}

export function visitor(api: Api, memory: Memory): Promise<User> {
  return remembered(memory, USER_KEY, async () => {
    try {
      return (await api.me()).user;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return (await api.createGuest()).user;
      throw error;
    }
  });
}

export function knownProject(api: Api, memory: Memory, id: string): Promise<Project> {
  return remembered(memory, projectKey(id), () => api.project(id));
}

/** The project somebody worked on last, or their first one. */
export async function homeProject(api: Api): Promise<string> {
  const newest = (await api.projects()).items[0];
  return (newest ?? (await api.createProject("My first mashup"))).id;
}
