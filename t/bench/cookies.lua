-- SPDX-License-Identifier: Apache-2.0
-- wrk -tTHREADS -s cookies.lua URL -- FILE COUNT THREADS
-- Sends COUNT different requests in turn, each with its own Cookie header: the lines of FILE, from
-- the first again when they run out, with a number appended. All are made before the clock starts,
-- so that a request costs the same here whether FILE has one line or many.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local requests, last = {}, 0

function init(args)
  local lines = {}
  for line in io.lines(args[1]) do lines[#lines + 1] = line end
  for i = number, tonumber(args[2]) - 1, assert(tonumber(args[3]), "how many threads?") do
    local cookie = string.format("%s; n=%05d", lines[i % #lines + 1], i)
    requests[#requests + 1] = wrk.format("GET", nil, { Cookie = cookie })
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"bytes":%d,"not2xx":%d,"broken":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, summary.bytes, e.status,
    e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99)))
end
