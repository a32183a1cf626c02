import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const from = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => {
  // The window's own build talks to Rust. `vite` alone, `--mode mock` and tests talk to invented data, which is never
  // part of the window's bundle: the import is resolved here, so the file is not even read.
  const invented = mode !== 'production' && process.env.TAURI_ENV_PLATFORM === undefined;
  return {
    plugins: [svelte(), svelteTesting({ resolveBrowser: process.env.VITEST !== undefined })],
    resolve: {
      alias: {
        $lib: from('./src/lib'),
        $screens: from('./src/screens'),
        '$chosen-backend': from(invented ? './src/lib/backend/mock.ts' : './src/lib/backend/tauri.ts'),
      },
    },
    clearScreen: false,
    server: { port: 1420, strictPort: true },
    preview: { port: 1421, strictPort: true },
    build: { target: 'es2022', chunkSizeWarningLimit: 800, reportCompressedSize: false },
    test: {
      environment: 'jsdom',
      include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
      setupFiles: ['./tests/setup.ts'],
      testTimeout: 120_000,
    },
  };
});
