--- What the figures were taken on.
local process = require "lib.process"

local machine = {}

local function first_line(command)
  local text, ok = process.capture(command .. " 2>/dev/null")
  return ok and text:match "^[^\n]+" or nil
end

local function cpu_model()
  for line in io.lines "/proc/cpuinfo" do
    local name = line:match "^model name%s*:%s*(.+)$"
    if name then return name end
  end
  return first_line "uname -m" or "unknown"
end

--- Flavour and version of the OpenBLAS that the path of its library tells: "openblas-pthread 0.3.21".
function machine.blas_of(path)
  if not path then return nil end
  local version = path:match "(%d+%.%d+[%d.]*)%.so" or "unknown version"
  return ("OpenBLAS %s (%s)"):format(version, path:match "openblas%-(%a+)" or "unknown flavour")
end

-- By the name that the driver gives it.
local function gpu_model(index)
  return first_line("nvidia-smi --query-gpu=name,driver_version --format=csv,noheader -i " .. index)
    or "unknown GPU"
end

local function our_blas()
  local found = first_line "ldconfig -p | sed -n 's/^.*libopenblas\\.so\\.0 .*=> //p'"
    or first_line "/sbin/ldconfig -p | sed -n 's/^.*libopenblas\\.so\\.0 .*=> //p'"
  return machine.blas_of(found and first_line("readlink -f " .. process.quote(found)))
end

--- CPU, cores, libraries, commit and date.
-- @tparam string program gru-lua
-- @tparam ?table torch what peers/about.py said, or nil
-- @tparam[opt] string device what is measured, where that is no CPU
function machine.describe(program, torch, device)
  local commit = first_line "git rev-parse --short=12 HEAD"
  local changed = commit and first_line "git status --porcelain --untracked-files=no"
  return {
    cpu = cpu_model(), cores = tonumber(first_line "nproc") or 1, kernel = first_line "uname -sr",
    date = os.date "!%Y-%m-%d %H:%M UTC",
    commit = (commit or "unknown") .. (changed and ", changed" or ""),
    gru = first_line(process.quote(program) .. " --version"), lua = first_line "lua5.4 -v",
    openblas = our_blas() or "unknown", torch = torch,
    gpu = device and gpu_model(device:match ":(%d+)$" or "0"),
  }
end

--- One line of it.
function machine.line(m)
  local torch = m.torch and ("PyTorch %s with %s"):format(m.torch.version, m.torch.blas) or "no PyTorch"
  local cpu = m.gpu and m.gpu .. "; " .. m.cpu or m.cpu
  return ("%s, %d cores; %s; %s; commit %s, %s"):format(cpu, m.cores, m.openblas, torch, m.commit, m.date)
end

return machine
