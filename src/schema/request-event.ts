import { builder } from './builder.ts';
import { RequestChanged } from './chat-event.ts';
import { Request } from './request.ts';

builder.objectField(RequestChanged, 'request', (t) =>
  t.field({
    type: Request,
    nullable: true,
    description: 'As it is when the event is delivered; null once the viewer may not see it any more.',
    resolve: (event, _args, { loaders }) => (event.requestId ? loaders.request.load(event.requestId) : null),
  }),
);
