import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Backend, JobsChanged, Listener, Progress } from './backend';

function channel(listener: Listener): Channel<Progress> {
  const progress = new Channel<Progress>();
  progress.onmessage = listener;
  return progress;
}

/** The console behind the window. */
export const tauriBackend: Backend = {
  start: () => invoke('start'),
  firstStart: (protection, passphrase) => invoke('first_start', { protection, passphrase }),
  unlock: (passphrase) => invoke('unlock', { passphrase }),
  recover: (recoveryKey) => invoke('recover', { recoveryKey }),
  lock: () => invoke('lock'),
  setPreference: (key, value) => invoke('set_preference', { key, value }),
  seen: () => invoke('seen'),
  openLink: (url) => invoke('open_link', { url }),

  tiles: () => invoke('tiles'),
  application: (slug) => invoke('application', { slug }),
  openDraft: (app, login) => invoke('open_draft', { app, login }),
  checkField: (draft, field, value) => invoke('check_field', { draft, field, value }),
  closeDraft: (draft) => invoke('close_draft', { draft }),
  connect: (draft, request, progress) => invoke('connect', { draft, request, progress: channel(progress) }),
  replaceSecret: (draft, instance, progress) =>
    invoke('replace_secret', { draft, instance, progress: channel(progress) }),
  sandboxTenants: () => invoke('sandbox_tenants'),
  addSandbox: (tenants, progress) => invoke('add_sandbox', { tenants, progress: channel(progress) }),
  removeSandbox: () => invoke('remove_sandbox'),

  instances: (sandbox) => invoke('instances', { sandbox }),
  instance: (id) => invoke('instance', { id }),
  changeInstance: (id, change) => invoke('change_instance', { id, change }),
  deleteInstance: (id, typedName) => invoke('delete_instance', { id, typedName }),
  scan: (instance, progress) => invoke('scan', { instance, progress: channel(progress) }),
  cancel: (job) => invoke('cancel', { job }),
  jobs: () => invoke('jobs'),
  onJobs(changed) {
    const heard = listen<JobsChanged>('jobs-changed', (event) => changed(event.payload));
    return () => void heard.then((end) => end());
  },

  overview: (sandbox) => invoke('overview', { sandbox }),
  findings: (query) => invoke('findings', { query }),
  finding: (id) => invoke('finding', { id }),
  exportFindings: (query, format) => invoke('export_findings', { query, format }),
  requests: (instance, slice) => invoke('requests', { instance, slice }),
  activity: (slice) => invoke('activity', { slice }),
};

export { tauriBackend as backend };
