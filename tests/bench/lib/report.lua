--- Results as a table on the screen, as JSON, and as a table for README.md.
--
-- A result is {name =, about =, rows = {...}}, a row {figure =, unit =, better = "less" or "more",
-- ours = summary, peer = ?summary, peer_name = ?string}; the peer is PyTorch unless it has a name.
local json = require "dkjson"
local stats = require "lib.stats"

local report = {}

--- A number with three digits that count.
function report.number(x)
  if x == 0 then return "0" end
  local digits = math.max(0, 2 - math.floor(math.log(math.abs(x), 10) + 1e-9))
  return ("%." .. math.min(digits, 6) .. "f"):format(x)
end

local number = report.number

local function value(summary, unit)
  if not summary then return "" end
  return unit == "" and number(summary.median) or number(summary.median) .. " " .. unit
end

local function spread(summary)
  if not summary or not summary.n or summary.n < 2 then return "" end
  return ("%s .. %s"):format(number(summary.min), number(summary.max))
end

--- How many times as good ours is, or an empty text.
function report.times(row)
  if not row.peer then return "" end
  return number(stats.ratio(row.ours, row.peer, row.better)) .. "x"
end

local function peer_name(row)
  if not row.peer then return "" end
  return row.peer_name or "PyTorch"
end

local function pad(text, width, right)
  local space = (" "):rep(width - utf8.len(text))
  return right and space .. text or text .. space
end

--- The rows of a result as lines of text.
function report.table(result)
  local lines = {{"figure", "gru-lua", "spread", "peer", "", "spread", "times as good"}}
  for _, row in ipairs(result.rows) do
    lines[#lines + 1] = {
      row.figure, value(row.ours, row.unit), spread(row.ours), peer_name(row), value(row.peer, row.unit),
      spread(row.peer), report.times(row),
    }
  end
  local widths, out = {}, {("## %s: %s"):format(result.name, result.about)}
  for _, line in ipairs(lines) do
    for i, cell in ipairs(line) do widths[i] = math.max(widths[i] or 0, utf8.len(cell)) end
  end
  for _, line in ipairs(lines) do
    for i, cell in ipairs(line) do line[i] = pad(cell, widths[i], i ~= 1 and i ~= 4) end
    out[#out + 1] = table.concat(line, "  "):gsub("%s+$", "")
  end
  return table.concat(out, "\n") .. "\n"
end

local ORDER = {
  "machine", "settings", "results", "name", "about", "rows", "figure", "unit", "better", "ours", "peer_name",
  "peer", "times", "median", "min", "max", "n", "threads", "cpu", "cores", "kernel", "date", "commit", "gru",
  "lua", "openblas", "torch",
}

--- All of it as JSON.
function report.json(all)
  for _, result in ipairs(all.results) do
    for _, row in ipairs(result.rows) do
      row.times = row.peer and stats.ratio(row.ours, row.peer, row.better) or nil
    end
  end
  return json.encode(all, {indent = true, keyorder = ORDER}) .. "\n"
end

--- All of it as a table of Markdown, with a line that says where and when.
function report.markdown(all, machine_line)
  local out = {machine_line .. ".", "", "| | gru-lua | peer | times as good |", "|---|---:|---:|---:|"}
  for _, result in ipairs(all.results) do
    for _, row in ipairs(result.rows) do
      local peer = row.peer and ("%s, %s"):format(value(row.peer, row.unit), peer_name(row)) or ""
      out[#out + 1] = ("| %s: %s | %s | %s | %s |"):format(result.name, row.figure, value(row.ours, row.unit),
        peer, report.times(row))
    end
  end
  return table.concat(out, "\n")
end

--- The text with what stands between two markers replaced; nil and a message without them.
-- @tparam string text
-- @tparam string markdown
-- @tparam[opt="bench"] string name of the markers: `bench`, or `bench-cuda` for those of a GPU
function report.replace(text, markdown, name)
  name = name or "bench"
  local begin = ("<!-- %s: written by tests/bench/readme.lua -->"):format(name)
  local stop = ("<!-- %s: end -->"):format(name)
  local _, first = text:find(begin, 1, true)
  local last = first and text:find(stop, first, true)
  if not last then return nil, ("no lines '%s' and '%s'"):format(begin, stop) end
  return text:sub(1, first) .. "\n" .. markdown .. "\n" .. text:sub(last)
end

return report
