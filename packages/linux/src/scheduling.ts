import { setPriority } from 'node:os';
import { setRealTimeScheduling } from './libc.ts';
import { KernelError } from './ports.ts';

/** Above what a desktop or database asks for, far below the kernel's own threads (50 and more). */
const PRIORITY = 10;
const MOST_NICE = -20;

/**
 * Runs the calling thread before everything else: SCHED_FIFO, or the highest ordinary priority where that is not
 * allowed (CAP_SYS_NICE, or a control group without real-time share). Threads and processes it starts later do not
 * inherit it.
 */
export function runFirst(): 'fifo' | 'nice' | 'normal' {
  try {
    setRealTimeScheduling(PRIORITY);
    return 'fifo';
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
  try {
    setPriority(MOST_NICE);
    return 'nice';
  } catch {
    return 'normal';
  }
}
