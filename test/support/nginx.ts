import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './events.ts';
import { findProgram, type Program } from './debian-program.ts';

const cacheDir = fileURLToPath(new URL('../../.cache', import.meta.url));

export function findNginx(): Promise<Program | undefined> {
  return findProgram({
    path: 'usr/sbin/nginx',
    packages: ['nginx'],
    folder: join(cacheDir, 'nginx'),
    mayDownload: true,
  });
}

export type Nginx = AsyncDisposable & { url: string };

/** In front of these ports, with the rules of deploy/nginx.conf. */
export async function startNginx(program: Program, port: number, upstream: readonly number[]): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'cdesk-chats-nginx-'));
  await writeFile(join(folder, 'nginx.conf'), configuration(folder, port, upstream));
  const child = spawn(program.path, ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', 'stderr'], {
    env: { ...process.env, LD_LIBRARY_PATH: program.libraryPath },
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${url}/healthz`).catch(() => null))?.ok, 10_000);
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(folder: string, port: number, upstream: readonly number[]): string {
  const servers = upstream.map((each) => `server 127.0.0.1:${each} max_fails=1 fail_timeout=1s;`).join('\n    ');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log /dev/null;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream chats {
    ${servers}
    keepalive 16;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://chats;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_next_upstream error timeout http_503;
      proxy_buffering off;
    }
    location = /webhooks/whatsapp {
      proxy_pass http://chats;
      proxy_http_version 1.1;
      proxy_set_header Connection '';
      proxy_next_upstream error timeout http_503 non_idempotent;
    }
  }
}
`;
}
