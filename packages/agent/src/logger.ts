import { type Logger, pino } from 'pino';

/** Keys that are never logged, at any depth that our own objects have. */
const SECRET_KEYS = ['password', 'etcdPassword', 'authorization'];

/**
 * JSON lines on standard error, written at once: a line that precedes a crash is the one that matters.
 *
 * @param thread Which part of the process speaks.
 */
export function createLogger(level: string, thread: string): Logger {
  return pino(
    {
      level,
      base: { thread },
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
        censor: '[secret]',
      },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
