-- The CUDA plugin from outside: where it is looked for, what is said of one that does not work, and what
-- a program does when the driver, the devices, or their memory fail.  gru-lua and stock lua5.4 both run
-- small scripts, with plugins of tests/plugins and the emulated device (tests/emulator).
local command_line = require "tests.support.command_line"

setup(command_line.make_folder)
teardown(command_line.remove_folder)

local function exists(path)
  local f = io.open(path)
  if f then f:close() end
  return f ~= nil
end

local here = command_line.capture("pwd"):gsub("\n", "")
local build = os.getenv "GRU_BUILD" or "build"
if not build:find "^/" then build = here .. "/" .. build end
local emulator = build .. "/emulator/libgru_cuda.so"

local stock = exists(build .. "/lua5.4") and build .. "/lua5.4" or command_line.stock
local programs = {["gru-lua"] = command_line.program, ["lua5.4"] = stock}
local paths = ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua'; LUA_CPATH='%s/lib/?.so'\n"):format(here, here,
  build) .. "export LUA_PATH LUA_CPATH; unset GRU_CUDA_PLUGIN CUDA_VISIBLE_DEVICES\n"

-- Lines that a script prints under `program`, with settings of the environment before it.
local function run(program, settings, script)
  command_line.write_file("script.lua", "local gru = require 'gru'\n" .. script)
  local got = command_line.run(program, paths .. settings .. " $LUA script.lua")
  assert.equal("", got.err)
  assert.equal(0, got.status)
  return (got.out:gsub("\n$", ""))
end

-- What is said of CUDA, while the CPU works.
local ask = [[
  local list, why = gru.devices()
  local count, the_same = gru.cuda.device_count()
  assert(#list == count + 1 and why == the_same)
  for _ = 1, 3 do -- a failure does not change what comes later
    local there, reason = gru.cuda.is_available()
    assert(there == (count > 0) or reason)
    assert(gru.ones(3):sum():item() == 3)
  end
  print(why or table.concat(list, " "))]]

local function each_program(f)
  for name, program in pairs(programs) do
    it("by " .. name, function() f(program) end)
  end
end

local function plugin(name) return ("%s/plugins/%s.so"):format(build, name) end

describe("a plugin that", function()
  local cases = {
    {"is not there", "/nowhere/libgru_cuda.so", "GRU_CUDA_PLUGIN=FILE: there is no such file"},
    {"is no library", here .. "/README.md", "FILE: .*invalid ELF header"},
    {"is a folder", here, "FILE: cannot read file data"},
    {"has no gru_backend_init", plugin "symbol",
      "FILE is no plugin of gru%-lua: it has no gru_backend_init"},
    {"refuses this program", plugin "refused", "FILE does not know version %d+ of the device interface"},
    {"is of another version", plugin "version",
      "FILE has version 999 of the device interface, wanted is %d+"},
    {"has a table that is too short", plugin "short", "FILE has a table of 80 bytes, wanted are %d+"},
    {"is another backend's", plugin "other", "FILE is the plugin of 'abacus', wanted is 'cuda'"},
    {"needs a library that is missing", plugin "needy", "libgru_absent.so: cannot open shared object file"},
    {"has no devices", plugin "none", "all devices are at lunch"},
    {"has none and does not say why", plugin "unsaid", "there are no cuda devices"},
  }
  for _, case in ipairs(cases) do
    local what, path, says = table.unpack(case)
    describe(what, function()
      each_program(function(program)
        local said = run(program, "GRU_CUDA_PLUGIN='" .. path .. "'", ask)
        assert.matches("^cuda: " .. says:gsub("FILE", (path:gsub("%p", "%%%0"):gsub("%%", "%%%%"))), said)
      end)
    end)
  end

  it("cannot open its device says so, and how many there are", function()
    local got = run(programs["gru-lua"], "GRU_CUDA_PLUGIN='" .. plugin "unopened" .. "'", [[
      print(table.concat(gru.devices(), " "))
      print(select(2, gru.cuda.is_available()))
      print(select(2, pcall(gru.ones, 2, {device = "cuda:1"})))
      print(select(2, pcall(gru.ones, 2, {device = "cuda:2"})))
      print(select(2, pcall(gru.cuda.get_device_properties, 0)))]])
    assert.equal("cpu cuda:0 cuda:1\n"
      .. "device 'cuda:0': the lid of 0 is stuck\n"
      .. "ones: device 'cuda:1': the lid of 1 is stuck\n"
      .. "ones: device 'cuda:2': there are 2 cuda devices, cuda:0 to cuda:1\n"
      .. "cuda.get_device_properties: device 'cuda:0': nothing is known of it", got)
  end)

  it("is named by --version and --device with its reason", function()
    local set = paths .. "GRU_CUDA_PLUGIN='" .. plugin "none" .. "' $LUA "
    assert.matches("\ncuda: all devices are at lunch\n$", command_line.gru(set .. "--version").out)
    local got = command_line.gru(set .. "--device cuda -e 'print(1)'")
    assert.equal("PROGRAM: device 'cuda:0': all devices are at lunch\n", got.err)
    assert.equal("", got.out)
  end)
end)

describe("the plugin is looked for", function()
  -- A folder with copies of the program and of the module, and plugins at the named places.
  local function look(command, places, settings)
    local lines = {"rm -rf at; mkdir -p at/bin at/lib/gru at/lib/lua/5.4/gru",
      "cp '" .. command_line.program .. "' at/bin/gru-lua",
      "cp '" .. build .. "/lib/gru/core.so' at/lib/lua/5.4/gru/core.so", paths}
    for place, which in pairs(places) do
      lines[#lines + 1] = ("cp '%s' at/%s"):format(plugin(which), place)
    end
    command_line.write_file("ask.lua", "print(select(2, require('gru').devices()))")
    lines[#lines + 1] = (settings or "") .. " " .. command .. " ask.lua"
    local got = command_line.gru(table.concat(lines, "\n"))
    assert.equal("", got.err)
    return got.out
  end
  local own = "at/bin/gru-lua"
  local module = "LUA_CPATH='at/lib/lua/5.4/?.so' '" .. stock .. "'"

  it("beside the program", function()
    local places = {["bin/libgru_cuda.so"] = "short", ["lib/gru/libgru_cuda.so"] = "none"}
    assert.matches("table of 80", look(own, places))
  end)

  it("in ../lib/gru", function()
    assert.matches("at lunch", look(own, {["lib/gru/libgru_cuda.so"] = "none"}))
  end)

  it("beside the module", function()
    assert.matches("table of 80", look(module, {["lib/lua/5.4/gru/libgru_cuda.so"] = "short",
      ["lib/gru/libgru_cuda.so"] = "none"}))
  end)

  it("two folders up, where a build has it", function()
    assert.matches("version 999", look(module, {["lib/lua/libgru_cuda.so"] = "version",
      ["lib/gru/libgru_cuda.so"] = "none"}))
  end)

  it("in lib/gru of an installed module", function()
    assert.matches("at lunch", look(module, {["lib/gru/libgru_cuda.so"] = "none"}))
  end)

  it("by GRU_CUDA_PLUGIN, before all and alone", function()
    local places = {["bin/libgru_cuda.so"] = "short", ["lib/lua/5.4/gru/libgru_cuda.so"] = "short"}
    for _, command in ipairs {own, module} do
      assert.matches("999", look(command, places, "GRU_CUDA_PLUGIN='" .. plugin "version" .. "'"))
      assert.matches("no such file", look(command, places, "GRU_CUDA_PLUGIN=/nowhere"))
      assert.matches("table of 80", look(command, places, "GRU_CUDA_PLUGIN="))
    end
    places["here.so"] = "none" -- a name without a slash is one of this folder, and no library's
    assert.matches("at lunch", look("cp at/here.so . && GRU_CUDA_PLUGIN=here.so " .. own, places))
  end)

  it("and the way out is named where it is nowhere", function()
    for _, command in ipairs {own, module} do
      assert.equal("cuda: its plugin, libgru_cuda.so, is neither beside the program nor installed; "
        .. "where it is elsewhere, GRU_CUDA_PLUGIN names the file\n", look(command, {}))
    end
  end)

  it("by programs that themselves need nothing of CUDA", function()
    for _, file in ipairs {command_line.program, build .. "/lib/gru/core.so"} do
      local needs = command_line.capture("ldd '" .. file .. "' 2>&1")
      assert.matches("libc%.so", needs)
      assert.falsy(needs:lower():find("cuda", 1, true) or needs:find("cublas", 1, true))
    end
  end)
end)

-- ---- the emulated device ------------------------------------------------------------------------------

if not exists(emulator) then
  pending("the emulated device: it is not built, there is no C++ compiler", function() end)
  return
end

local function emulate(settings) return "GRU_CUDA_PLUGIN='" .. emulator .. "' " .. settings end

describe("with CUDA", function()
  local cases = {
    {"without a driver", "GRU_EMULATOR_DRIVER=0", "cuda: there is no NVIDIA driver on this machine"},
    {"with an old driver", "GRU_EMULATOR_DRIVER=12080",
      "cuda: the NVIDIA driver is for CUDA 12.8, this program needs 13.0; update the driver"},
    {"without devices", "GRU_EMULATOR_DEVICES=0", "cuda: there is no CUDA device"},
    {"with its devices hidden", "GRU_EMULATOR_DEVICES=0 CUDA_VISIBLE_DEVICES=-1",
      "cuda: there is no CUDA device in CUDA_VISIBLE_DEVICES=-1"},
    {"with one device", "", "cpu cuda:0"},
    {"with three devices", "GRU_EMULATOR_DEVICES=3", "cpu cuda:0 cuda:1 cuda:2"},
  }
  for _, case in ipairs(cases) do
    describe(case[1], function()
      each_program(function(program) assert.equal(case[3], run(program, emulate(case[2]), ask)) end)
    end)
  end

  it("--version has a line for each device", function()
    local got = command_line.gru(paths .. emulate "GRU_EMULATOR_DEVICES=2" .. " $LUA --version")
    assert.matches("\ncuda:0: emulated device, compute capability 9%.0, 4 GiB"
      .. "\ncuda:1: emulated device, compute capability 9%.0, 4 GiB\n$", got.out)
  end)

  it("two devices keep their tensors apart", function()
    local got = run(programs["gru-lua"], emulate "GRU_EMULATOR_DEVICES=2", [[
      local a, b, c = gru.ones(2, {device = "cuda"}), gru.ones(2, {device = "cuda:1"}), gru.ones(2)
      print(a.device, b.device, gru.memory("cuda:0").live, gru.memory("cuda:1").live)
      print(select(2, pcall(gru.add, a, b)))
      print(select(2, pcall(gru.add, a, c)))
      print((a + b:to("cuda:0")):totable()[1], (b + 1):cpu():totable()[2])
      print(select(2, pcall(gru.ones, 2, {device = "cuda:2"})))]])
    local lines = {}
    for line in got:gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal("cuda:0\tcuda:1\t8\t8", lines[1])
    assert.matches("add: .*cuda:0.*cuda:1", lines[2])
    assert.matches("add: .*cuda:0.*cpu", lines[3])
    assert.equal("2.0\t2.0", lines[4])
    assert.equal("ones: device 'cuda:2': there are 2 cuda devices, cuda:0 to cuda:1", lines[5])
  end)

  -- A library that is none comes before the one beside the plugin.
  it("without cuBLAS large products say so, and the rest works", function()
    command_line.write_file("libcublas.so.13", "no library\n")
    local got = run(programs["gru-lua"], emulate "LD_LIBRARY_PATH=.", [[
      local x = gru.ones(40, 40, {device = "cuda"})
      for _ = 1, 2 do print(select(2, pcall(x.matmul, x, x))) end
      print((x + x):sum():item(), x[{{1, 2}}]:matmul(x:t()):sum():item())
      print(x:cpu():matmul(x:cpu()):sum():item())]])
    local failure = "matmul: products on a GPU need cuBLAS: "
    local first, second, rest = got:match "^([^\n]*)\n([^\n]*)\n(.*)$"
    assert.equal(failure, first:sub(1, #failure))
    assert.truthy(first:find("libcublas.so.13", 1, true))
    assert.equal(first, second)
    assert.equal("3200.0\t3200.0\n64000.0", rest)
  end)

  it("\"cuda\" is the current device", function()
    local got = run(programs["gru-lua"], emulate "GRU_EMULATOR_DEVICES=2", [[
      local x = gru.ones(2)
      print(x:cuda().device, gru.ones(2, {device = "cuda"}).device)
      gru.cuda.set_device(1)
      print(x:cuda().device, x:to("cuda").device, gru.ones(2, {device = "cuda"}).device)
      print(x:cuda(0).device, x:cuda("cuda:0").device, gru.ones(2, {device = "cpu"}).device)
      print(select(2, pcall(x.cuda, x, "cpu")))]])
    assert.equal("cuda:0\tcuda:0\ncuda:1\tcuda:1\tcuda:1\ncuda:0\tcuda:0\tcpu\n"
      .. "cuda: device 'cuda:cpu': expected a name such as \"cpu\" or \"cuda:0\"", got)
  end)

  it("gru.cuda tells what a device is, and which is the current one", function()
    local got = run(programs["gru-lua"], emulate "GRU_EMULATOR_DEVICES=2", [[
      local cuda = gru.cuda
      local p = cuda.get_device_properties(1)
      print(p.name, p.major, p.minor, p.total_memory, p.free_memory, p.runtime_version, p.driver_version)
      assert(cuda.get_device_name() == p.name and p.multi_processor_count > 0)
      print(cuda.current_device(), cuda.memory_allocated(), cuda.memory_reserved())
      cuda.set_device(1)
      local x = gru.ones(100)
      print(cuda.current_device(), cuda.memory_allocated(), cuda.memory_reserved(), x.device)
      print(cuda.memory_allocated(0), cuda.memory_allocated("cuda:1"), cuda.max_memory_allocated())
      assert(cuda.get_device_properties().free_memory < p.total_memory)
      x = nil
      collectgarbage()
      print(cuda.memory_allocated(), cuda.memory_reserved())
      cuda.empty_cache()
      assert(cuda.memory_reserved() == 0)
      cuda.synchronize()
      cuda.synchronize(0)
      cuda.synchronize("cpu")
      gru.set_default_device("cpu")
      print(cuda.current_device())
      for _, wrong in ipairs {"cpu", "gpu", -1, 1.5, true, {}} do
        print((select(2, pcall(cuda.get_device_name, wrong)):gsub("table: .*", "a table")))
      end
      print(select(2, pcall(cuda.get_device_name, 2)))
      print(select(2, pcall(cuda.synchronize, 2)))
      print(select(2, pcall(cuda.set_device, "cuda:-1")))]])
    local wanted = '%s: expected a name such as "cuda:0" or a number from 0, got %s'
    local range = "%s: device 'cuda:2': there are 2 cuda devices, cuda:0 to cuda:1"
    assert.same({
      "emulated device\t9\t0\t4294967296\t0\t13.0\t13.0", "0\t0\t0",
      "1\t400\t512\tcuda:1", "0\t400\t404", "0\t512", "0",
      wanted:format("cuda.get_device_name", "cpu"), wanted:format("cuda.get_device_name", "gpu"),
      wanted:format("cuda.get_device_name", "-1"), wanted:format("cuda.get_device_name", "1.5"),
      wanted:format("cuda.get_device_name", "true"), wanted:format("cuda.get_device_name", "a table"),
      range:format "cuda.get_device_name", range:format "cuda.synchronize",
      "cuda.set_device: device 'cuda:-1': expected a name such as \"cpu\" or \"cuda:0\"",
    }, (function()
      local lines = {}
      for line in got:gmatch "[^\n]+" do lines[#lines + 1] = line end
      return lines
    end)())
  end)
end)

describe("a device without memory", function()
  it("ends a training step with an error, after which smaller ones work", function()
    local got = run(programs["gru-lua"], emulate "GRU_EMULATOR_MEMORY=50000000", [[
      local w = gru.full({1000, 1000}, 0.5, {device = "cuda:0", requires_grad = true})
      local function step(depth)
        local y = w
        for _ = 1, depth do y = (y * 2):tanh() end
        y:backward(gru.ones_like(y))
        gru.no_grad(function() w:sub_(w.grad * 0.1) end)
        w.grad = nil
      end
      local before = gru.memory("cuda:0").live
      for round = 1, 3 do
        step(2)
        local ok, message = pcall(step, 20)
        print(ok, message:match "[%w_]+: out of memory .*")
        collectgarbage()
        assert(gru.memory("cuda:0").live == before)
        assert(gru.memory("cuda:0").reserved <= 50000000)
      end
      step(3)
      gru.cuda.synchronize()
      print(w.device, w:cpu():isfinite():all():item(), gru.ones(2):sum():item())]])
    local said = "false\t%w+: out of memory on cuda:0: 4000000 bytes wanted, %d+ in use, limit 45000000; "
      .. "release tensors, use smaller batches, or end other programs that use the device\n"
    assert.matches("^" .. said .. said .. said .. "cuda:0\ttrue\t2.0$", got)
  end)

  it("takes up garbage before it gives up", function()
    local got = run(programs["gru-lua"], emulate "GRU_EMULATOR_MEMORY=50000000", [[
      collectgarbage "stop"
      local x
      for _ = 1, 100 do x = gru.zeros(1000, 1000, {device = "cuda:0"}) end
      print(x.device)]])
    assert.equal("cuda:0", got)
  end)

  it("is kept for nothing with GRU_MEMORY_CACHE=0", function()
    local got = run(programs["gru-lua"], "GRU_MEMORY_CACHE=0 " .. emulate "", [[
      for _, device in ipairs {"cpu", "cuda:0"} do
        local x = gru.ones(3, {dtype = "bool", device = device})
        print(gru.memory(device).reserved)
        x = x:to("int64"):sort()
        collectgarbage()
        assert(gru.memory(device).reserved == 24 and x.device == device)
      end
      local told
      warn = function(text) told = text end
      local x = gru.zeros(2, {device = "cuda:0"})
      local step = gru.cuda.graph(function(y) return y + 1 end)
      for _ = 1, 4 do x = step(x) end
      print(x:totable()[1], told)]])
    assert.matches("^3\n3\n4.0\tgru.cuda.graph: the step stays as it is: .*GRU_MEMORY_CACHE=0 keeps no memory"
      .. " for graphs$", got)
  end)
end)

describe("a device that breaks", function()
  local script = [[
    local cuda = {device = "cuda:0"}
    local x, kept = nil, gru.ones(10, 10, cuda)
    local broke, message
    for n = 1, 1000 do
      broke, message = pcall(function() x = (kept + n) * 2 end)
      if not broke then break end
    end
    print(message)
    local function call(f, ...) print((select(2, pcall(f, ...)):gsub("^%S+: (%S+: cuda)", "%1"))) end
    call(gru.add, kept, 1)
    call(gru.ones, 3, cuda)
    call(gru.empty, 3, cuda)
    call(gru.empty, 1 << 20, 9, cuda)
    call(kept.totable, kept)
    call(kept.to, gru.ones(3), "cuda:0")
    call(gru.cuda.synchronize)
    gru.cuda.empty_cache()
    local y = gru.ones(5, {requires_grad = true})
    gru.sum(y * 3):backward()
    print(y.grad:sum():item())]]
  local errors = {["an illegal memory access was encountered"] = 700, ["context is destroyed"] = 709}
  for what, error in pairs(errors) do
    describe("(" .. what .. ")", function()
      each_program(function(program)
        local got = run(program, emulate("GRU_EMULATOR_FAIL=40 GRU_EMULATOR_ERROR=" .. error), script)
        local lines = {}
        for line in got:gmatch "[^\n]+" do lines[#lines + 1] = line end
        assert.equal(9, #lines)
        assert.matches(what .. "; the last call was %w+, GRU_CUDA_BLOCKING=1 finds the one at fault$",
          lines[1])
        local says = "cuda:0 has failed and can be used no more: " .. what .. " %(.*%); the CPU still works$"
        for i = 2, 8 do assert.matches(says, lines[i]) end
        assert.equal("15.0", lines[9])
      end)
    end)
  end

  it("at once cannot be opened, each time it is tried", function()
    local got = run(programs["gru-lua"], emulate "GRU_EMULATOR_FAIL=1", [[
      for _ = 1, 2 do print(select(2, gru.cuda.is_available())) end
      print(gru.ones(4):sum():item())]])
    local said = "device 'cuda:0': .*illegal memory access[^\n]*\n"
    assert.matches("^" .. said .. said .. "4.0$", got)
  end)
end)
