--- What jay_lyrics.lua shows: report lines, a progress bar on a terminal, a log.
local gru = require "gru"

local report = {}

local BAR = 24
local KEYS = {"half", "epoch", "perplexity", "seconds", "chars_per_second"}

local function is_terminal()
  return (os.execute("test -t 2")) == true
end

local function duration(seconds)
  seconds = math.floor(seconds + 0.5)
  return ("%d:%02d"):format(seconds // 60, seconds % 60)
end

-- "scratch [######......] 40/160  perplexity 152.6  7500 chars/s  1:12 left"
local function draw(half, e, num_epochs, speed, left)
  local done = BAR * e.epoch // num_epochs
  io.stderr:write(("\r\27[K%s [%s%s] %d/%d  perplexity %.4g  %.0f chars/s  %s left"):format(half,
    ("#"):rep(done), ("."):rep(BAR - done), e.epoch, num_epochs, e.perplexity, speed, duration(left)))
  io.stderr:flush()
end

local function log(config, half, e)
  local line = config.json.encode({
    half = half, epoch = e.epoch, perplexity = e.perplexity, seconds = e.seconds,
    chars_per_second = e.tokens / e.seconds,
  }, {keyorder = KEYS})
  local ok, problem = config.log_file:write(line, "\n")
  if ok then ok, problem = config.log_file:flush() end
  if not ok then
    io.stderr:write("jay_lyrics: cannot write the log: ", problem, "\n")
    os.exit(1, true)
  end
end

--- The reporter of one half, to be called with every epoch.
-- @tparam table config the settings
-- @tparam string half its name in the log
-- @treturn function
function report.reporter(config, half)
  local terminal, seconds = is_terminal(), 0
  return function(e)
    seconds = seconds + e.seconds
    if config.log_file then log(config, half, e) end
    if e.report then
      if terminal then io.stderr:write("\r\27[K") end
      gru.d2l.print_epoch(e, config.prefixes)
    end
    if terminal then
      local mean = seconds / e.epoch
      draw(half, e, config.epochs, e.tokens / e.seconds, mean * (config.epochs - e.epoch))
      if e.epoch == config.epochs then io.stderr:write("\r\27[K") end
    end
  end
end

--- Closes the log.
function report.close(config)
  if config.log_file then config.log_file:close() end
end

return report
