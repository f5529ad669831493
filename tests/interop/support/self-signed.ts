import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A key and a certificate that signs itself, for 127.0.0.1. */
export async function selfSigned(
  directory: string,
  name: string,
): Promise<{ key: string; cert: string }> {
  const [key, cert] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
  const argv = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', [...argv, ...names, '-keyout', key, '-out', cert]);
  return { key, cert };
}
