-- Posts the requests of a file one after the other. Each begins with its length in eight digits.
local requests
local at = 1

function init(args)
  requests = io.open(args[1], 'rb'):read('*a')
end

-- They are cut out one by one: tens of thousands of texts that begin and end alike are slow to keep for LuaJIT, whose hash
-- looks at little else. Who runs out begins again, which the one who counts the answers notices.
function request()
  if at > #requests then at = 1 end
  local from = at + 8
  at = from + tonumber(requests:sub(at, from - 1))
  return requests:sub(from, at - 1)
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local p99 = latency:percentile(99)
  print(('{"answered":%d,"failed":%d,"microseconds":%d,"p99":%d}'):format(summary.requests, failed, summary.duration, p99))
end
