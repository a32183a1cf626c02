import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist/', 'dist-mock/', 'node_modules/', 'src/lib/backend/bindings.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig, extraFileExtensions: ['.svelte'] } },
  },
  {
    rules: {
      // TypeScript knows which names exist; the rule only knows JavaScript's.
      'no-undef': 'off',
      'no-console': 'error',
      // What a vendor answers is hostile text: it is never parsed as markup.
      'svelte/no-at-html-tags': 'error',
      // Addresses of this window are hashes; there is no SvelteKit whose `resolve()` they could go through.
      'svelte/no-navigation-without-resolve': 'off',
      // Maps and address queries here are bookkeeping or are replaced whole; what a screen shows is $state.
      'svelte/prefer-svelte-reactivity': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    // One door to Rust.
    files: ['src/**/*.{ts,svelte}'],
    ignores: ['src/lib/backend/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@tauri-apps/*'], message: 'Only src/lib/backend talks to Tauri.' }] },
      ],
    },
  },
  {
    // What is typed into a secret field must not outlive its dialog.
    files: ['src/**/*.{ts,svelte}'],
    rules: { 'no-restricted-globals': ['error', 'localStorage', 'sessionStorage', 'indexedDB'] },
  },
);
