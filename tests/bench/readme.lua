--- Puts the results of a benchmark run into README.md, between two comments:
--
--     lua5.4 tests/bench/readme.lua [build/bench.json [README.md]]
local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = here .. "/?.lua;" .. package.path

local json = require "dkjson"
local machine = require "lib.machine"
local report = require "lib.report"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local results, readme = arg[1] or "build/bench.json", arg[2] or "README.md"
local all = assert(json.decode(read(results)))
if all.settings.quick then error(results .. " is of a quick run, whose figures mean nothing", 0) end
local text, problem = report.replace(read(readme), report.markdown(all, machine.line(all.machine)),
  all.settings.device and "bench-cuda")
if not text then error(readme .. ": " .. problem, 0) end
local file = assert(io.open(readme, "w"))
file:write(text)
assert(file:close())
