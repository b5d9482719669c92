-- Posts the lines of a file, one after the other: wrk -s post.lua URL -- bodies.ndjson (`tools/try wrk` does that).
-- Counts answers that are not 200, which wrk itself calls errors only from 400 on.
local lines, at = {}, 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  wrong = 0
  for line in io.lines(arguments[1]) do
    lines[#lines + 1] = wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, line)
  end
  -- Threads begin at different lines.
  at = math.random(#lines)
end

function request()
  at = at % #lines + 1
  return lines[at]
end

function response(status)
  if status ~= 200 then wrong = wrong + 1 end
end

function done(summary, latency)
  local wrong_answers = 0
  for _, thread in ipairs(threads) do wrong_answers = wrong_answers + thread:get("wrong") end
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format("%d answers, %d not 200, %d failed; p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms", summary.requests,
    wrong_answers, errors, latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000))
end
