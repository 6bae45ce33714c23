-- Calls of CUDA and cuBLAS that fail once, or each time: training on the emulated device says which call it
-- was, goes on afterwards with the same numbers, and the CPU is not touched by it.
local command_line = require "tests.support.command_line"

local here = command_line.capture("pwd"):gsub("\n", "")
local build = os.getenv "GRU_BUILD" or "build"
if not build:find "^/" then build = here .. "/" .. build end
local emulator = build .. "/emulator/libgru_cuda.so"

local file = io.open(emulator)
if file then file:close() end
local test = file and it or pending

setup(command_line.make_folder)
teardown(command_line.remove_folder)

-- Trains a step in a graph, and asks for what else makes calls of its own; twice.
local script = [[
  local gru = require "gru"
  local nn = gru.nn
  warn "@on"

  local function work()
    gru.manual_seed(5)
    local large = gru.arange(700000):to("cuda:0") -- more than one piece on the way
    local rnn, head = nn.GRU(6, 4):to("cuda:0"), nn.Linear(4, 6):to("cuda:0")
    local parameters = {}
    for _, module in ipairs {rnn, head} do
      for _, p in ipairs(module:parameters()) do parameters[#parameters + 1] = p end
    end
    local optimizer = gru.optim.Adam(parameters, {lr = 1e-2})
    local step <const> = gru.cuda.graph(function(ids)
      optimizer:zero_grad()
      local logits = head((rnn(gru.one_hot(ids, 6))))
      local loss = nn.functional.cross_entropy(logits:reshape(-1, 6), ids:reshape(-1))
      loss:backward()
      nn.utils.clip_grad_norm_(parameters, 1)
      optimizer:step()
      return loss:detach()
    end)
    local losses = {}
    for i = 1, 6 do losses[i] = step(gru.randint(1, 7, {5, 3}):to("cuda:0")):item() end
    local sorted = gru.randn(3, 3):to("cuda:0"):sort()
    losses[7], losses[8] = sorted:nonzero():size(1), large:max():item()
    collectgarbage()
    gru.cuda.synchronize()
    gru.cuda.empty_cache()
    return table.concat(losses, " ")
  end

  for _ = 1, 2 do print(select(2, pcall(work))) end
  print(gru.ones(3):sum():item())]]

-- What it prints, line by line, where calls are refused.
local function refusing(calls)
  command_line.write_file("script.lua", script)
  local got = command_line.gru(("export LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua' LUA_CPATH='%s/lib/?.so'\n"
    .. "GRU_CUDA_PLUGIN='%s' GRU_EMULATOR_REFUSE='%s' $LUA script.lua"):format(here, here, build, emulator,
    calls))
  assert.equal(0, got.status, calls .. ": " .. got.err)
  local lines = {}
  for line in got.out:gmatch "[^\n]+" do lines[#lines + 1] = line end
  assert.equal(3, #lines, calls)
  assert.equal("3.0", lines[3], calls)
  return lines, got.err
end

-- {call, error, what messages say of it}
local once = {
  {"cudaMalloc", 2},
  {"cudaMallocHost", 2, "cudaMallocHost: out of device memory"},
  {"cudaMemcpyAsync", 1, "upload: invalid argument", "download: invalid argument"},
  {"cudaEventCreateWithFlags", 1, "cudaEventCreate: invalid argument"},
  {"cudaEventRecord", 1, "upload: invalid argument"},
  {"cudaEventSynchronize", 1, "upload: invalid argument"},
  {"cudaStreamCreateWithFlags", 2, "cudaStreamCreate: out of device memory"},
  {"cudaStreamSynchronize", 1, "waiting for the device: invalid argument", "nonzero: invalid argument"},
  {"cudaLaunchKernelEx", 701, "too many resources requested for launch"},
  {"cudaStreamBeginCapture", 1},
  {"cudaStreamEndCapture", 901},
  {"cudaGraphGetNodes", 1},
  {"cudaGraphInstantiate", 1},
  {"cudaGraphLaunch", 1, "graph: replay: invalid argument"},
  {"cublasCreate", 1, "cublasCreate: cuBLAS: the library was not initialized"},
  {"cublasCreate", 3}, -- no memory: tried again
  {"cublasSetStream", 13, "cublasSetStream: cuBLAS: the function failed to launch on the GPU"},
  {"cublasSetWorkspace", 7, "cublasSetWorkspace: cuBLAS: an unsupported value"},
  {"cublasSetMathMode", 13, "cublasSetMathMode: cuBLAS: the function failed to launch on the GPU"},
  {"cublasGemmStridedBatched", 13, "gemm: cuBLAS: the function failed to launch on the GPU"},
  {"cudaGetDeviceCount", 3, "CUDA does not start: initialization error"},
  {"cudaFuncGetAttributes", 209, "no kernels for compute capability 9.0 in this build"},
  {"cudaMemGetInfo", 1},
  {"cudaFree", 1},
  {"cudaFreeHost", 1},
  {"cudaStreamDestroy", 1},
  {"cublasDestroy", 1},
}

local function says_one_of(line, case)
  for i = 3, #case do
    if line:find(case[i], 1, true) then return true end
  end
  return false
end

describe("a call that is refused once", function()
  local wanted

  for _, case in ipairs(once) do
    test(("%s, error %d"):format(case[1], case[2]), function()
      wanted = wanted or refusing("")[1]
      local told = false
      for _, n in ipairs {1, 3, 8} do
        local calls = ("%s=%d@%d"):format(case[1], case[2], n)
        local lines, err = refusing(calls)
        assert.equal("", err)
        local failed = lines[1] ~= wanted and 1 or 2
        assert.equal(wanted, lines[3 - failed], calls)
        if lines[failed] ~= wanted then
          assert(says_one_of(lines[failed], case), calls .. ": " .. lines[failed])
          told = true
        end
      end
      assert.equal(#case > 2, told)
    end)
  end
end)

describe("a call that is always refused", function()
  for _, call in ipairs {"cudaStreamBeginCapture=1", "cudaStreamEndCapture=901", "cudaGraphInstantiate=1"} do
    test("leaves a step as it is: " .. call, function()
      local wanted = refusing("")[1]
      local lines, err = refusing(call)
      assert.equal(wanted, lines[1])
      assert.equal(wanted, lines[2])
      assert.matches("^Lua warning: gru.cuda.graph: the step stays as it is: .*capture: ", err)
    end)
  end

  test("leaves the CPU alone", function()
    for _, case in ipairs(once) do refusing(("%s=%d"):format(case[1], case[2])) end
  end)
end)
