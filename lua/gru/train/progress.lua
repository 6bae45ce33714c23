--- What a run shows while it goes on: a line that is written over and over, on a terminal, and one
-- line that stays for every epoch.  It goes to the standard error stream.
-- @module gru.train.progress
local core = require "gru.core"

local PERIOD = 0.1 -- seconds between two looks of the line, at least

local Progress = {}
Progress.__index = Progress

--- Takes the line away, also when an error passes by.
function Progress:__close() self:clear() end

--- What `shown` (nil: on a terminal; true: the lines that stay, anywhere; false: nothing) asks for.
function Progress.new(shown)
  local terminal = shown ~= false and core.is_terminal(io.stderr)
  return setmetatable({live = terminal, lasting = shown or terminal, next = 0}, Progress)
end

--- Takes the line away.
function Progress:clear()
  if self.written then io.stderr:write("\r\27[K"):flush() end
  self.written = false
end

--- Says how far an epoch is.  `total` may be nil.
function Progress:batch(epoch, epochs, batch, total)
  local now = self.live and core.clock()
  if not now or now < self.next then return end
  self.next, self.written = now + PERIOD, true
  local of = total and "/" .. total or ""
  io.stderr:write(("\r\27[Kepoch %d/%d, batch %d%s"):format(epoch, epochs, batch, of)):flush()
end

--- Says what an epoch came to.
-- @tparam table record numbers by name
-- @tparam integer epochs how many there will be
function Progress:epoch(record, epochs)
  self:clear()
  if not self.lasting then return end
  local names, parts = {}, {("epoch %d/%d, loss %.6g"):format(record.epoch, epochs, record.loss)}
  local first = {epoch = true, loss = true, lr = true, seconds = true}
  for name, value in pairs(record) do
    if not first[name] and type(value) == "number" then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do parts[#parts + 1] = ("%s %.6g"):format(name, record[name]) end
  parts[#parts + 1] = ("lr %.4g"):format(record.lr)
  parts[#parts + 1] = ("%.2f s"):format(record.seconds)
  io.stderr:write(table.concat(parts, ", "), "\n"):flush()
end

return Progress
