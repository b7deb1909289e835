-- Posts the webhooks of a file one after the other; each line holds a signature and a body.
local requests = {}
local posted = 0

function init(args)
  for line in io.lines(args[1]) do
    local signature, body = line:match('^(%S+) (.*)$')
    local headers = { ['Content-Type'] = 'application/json', ['X-Hub-Signature-256'] = signature }
    requests[#requests + 1] = wrk.format('POST', '/webhooks/whatsapp', headers, body)
  end
end

-- Who runs out begins again, which the one who counts the answers notices.
function request()
  posted = posted % #requests + 1
  return requests[posted]
end

function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(('{"answered":%d,"failed":%d,"microseconds":%d}'):format(summary.requests, failed, summary.duration))
end
