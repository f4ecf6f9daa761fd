/** The page's three addresses. */

export type Route = { readonly at: "start" } | { readonly at: "project"; readonly id: string } | { readonly at: "join"; readonly token: string };

export function route(path: string): Route {
  const [, first, second] = path.split("/");
  if (first === "p" && second) return { at: "project", id: second };
  if (first === "join" && second) return { at: "join", token: decodeURIComponent(second) };
  return { at: "start" };
}

export const projectPath = (id: string): string => `/p/${id}`;
