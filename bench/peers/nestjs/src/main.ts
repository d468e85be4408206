// The event stream as NestJS 11 has it: @Sse and RxJS on the Fastify adapter. See README.md for what it leaves out.
import "reflect-metadata";
import { CanActivate, Controller, ExecutionContext, Injectable, MessageEvent, Module, Param, Req, Sse, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { Client } from "pg";
import { filter, interval, map, merge, Observable, share, startWith, Subject } from "rxjs";

type Heard = { message: MessageEvent; audience: string };

// One subject for each clinic, and one clock for all heartbeats.
const clinics = new Map<string, Subject<Heard>>();
const heartbeats = interval(20_000).pipe(map(heartbeat), share());

function heartbeat(): MessageEvent {
  return { type: "stream.heartbeat", data: JSON.stringify({ at: new Date().toISOString() }) };
}

function clinic(slug: string): Subject<Heard> {
  let found = clinics.get(slug);
  if (found === undefined) clinics.set(slug, (found = new Subject<Heard>()));
  return found;
}

@Injectable()
class Member implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest();
    request.permissions = new Set(["clinic", "clinic:read"]);
    return request.headers.authorization?.startsWith("Bearer ") ?? false;
  }
}

@Controller("api/v1/clinics/:clinic")
class Events {
  @Sse("events")
  @UseGuards(Member)
  events(@Param("clinic") slug: string, @Req() request: { permissions: Set<string> }): Observable<MessageEvent> {
    const permissions = request.permissions;
    const told = clinic(slug).pipe(
      filter((heard) => permissions.has(heard.audience)),
      map((heard) => heard.message),
    );
    return merge(told, heartbeats).pipe(startWith(heartbeat()));
  }
}

@Module({ controllers: [Events], providers: [Member] })
class App {}

async function listen(): Promise<void> {
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  client.on("notification", ({ payload }) => {
    const { slug, audience, ...event } = JSON.parse(payload!);
    // Encoded once for all streams.
    const message = { id: String(event.id), type: event.kind, data: JSON.stringify(event) };
    clinics.get(slug)?.next({ message, audience });
  });
  await client.query("LISTEN bench_peer");
}

async function main(): Promise<void> {
  const app = await NestFactory.create(App, new FastifyAdapter({ keepAliveTimeout: 0 }), { logger: ["error"] });
  await listen();
  // Where it is weighed, its garbage is not.
  process.on("SIGUSR2", () => (globalThis as { gc?: () => void }).gc?.());
  await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1", backlog: 4096 });
}

void main();
