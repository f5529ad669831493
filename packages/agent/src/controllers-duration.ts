import { isJsonObject, parseDuration, parseJson } from '@overland/model';

/**
 * A duration of the stored KubeControllersConfiguration, in milliseconds. What is not said or cannot be read counts as the
 * default, as an object that is absent does.
 *
 * @param path From `spec`, such as `['controllers', 'node', 'leakGracePeriod']`.
 */
export function controllersDurationMs(
  stored: string | undefined,
  path: readonly string[],
  defaultMs: number,
): number {
  try {
    let value: unknown = stored === undefined ? undefined : parseJson(stored);
    for (const field of ['spec', ...path]) value = isJsonObject(value) ? value[field] : undefined;
    return typeof value === 'string' ? parseDuration(value) : defaultMs;
  } catch {
    return defaultMs;
  }
}
