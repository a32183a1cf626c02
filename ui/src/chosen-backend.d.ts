/** `tauri.ts` in the window, `mock.ts` in a browser; vite.config.ts decides. */
declare module '$chosen-backend' {
  import type { Backend } from '$lib/backend/backend';
  export const backend: Backend;
}
