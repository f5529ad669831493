import { defineConfig } from 'vitest/config';

/** Workspace packages are loaded from their sources, never from `dist`. */
const resolve = { conditions: ['@overland/source'] };
const ssr = { resolve: { conditions: ['@overland/source'] } };

const LABS = ['tests/interop/{lab,fabric}-*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['packages/**/*.test.ts', 'tests/architecture/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', '**/*.netns.test.ts'],
          // Ends what hangs, and measures nothing: model tests take seconds on a machine that has other work.
          testTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'netns',
          include: ['packages/**/*.netns.test.ts', 'tests/netns/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'interop',
          include: ['tests/interop/**/*.test.ts'],
          exclude: LABS,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'lab',
          include: LABS,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Whole fabrics, and timed: each has the machine to itself.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
