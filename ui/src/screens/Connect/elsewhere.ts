import type { Application, DatasetState } from '$lib/backend/backend';

/** Datasets that are read with other login options than the one in use. */
export interface Elsewhere {
  /** “App API key”, “Service account or Log in with Okta”. */
  logins: string;
  datasets: DatasetState[];
}

/**
 * Which datasets the login option has no way to, by the options that have one. Nothing is missing there: it was left out when
 * the option was chosen.
 */
export function readElsewhere(application: Application, login: string, datasets: DatasetState[]): Elsewhere[] {
  // An option that the catalog no longer has reaches nothing, and that is no choice.
  if (!application.logins.some(({ id }) => id === login)) return [];
  const groups = new Map<string, DatasetState[]>();
  for (const dataset of datasets) {
    if (dataset.state === 'complete' || dataset.logins.includes(login)) continue;
    const able = application.logins.filter(({ id }) => dataset.logins.includes(id)).map(({ label }) => label);
    if (able.length === 0) continue;
    const logins = able.join(' or ');
    groups.set(logins, [...(groups.get(logins) ?? []), dataset]);
  }
  return [...groups].map(([logins, datasets]) => ({ logins, datasets }));
}
