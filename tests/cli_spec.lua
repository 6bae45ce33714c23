-- What gru-lua adds to stock `lua`, and Ctrl-C; cli_stock_spec.lua compares the two.
local command_line = require "tests.support.command_line"

local GRU = command_line.program
local STOCK = command_line.stock
local capture, gru, write_file = command_line.capture, command_line.gru, command_line.write_file

setup(command_line.make_folder)
teardown(command_line.remove_folder)

describe("gru-lua", function()
  local function output(command)
    local got = gru(command)
    assert.same({err = "", status = 0}, {err = got.err, status = got.status})
    return (got.out:gsub("\n$", ""))
  end

  local function rejects(option, message)
    local got = gru("$LUA " .. option .. " -e 'print(1)'")
    assert.same({out = "", err = "PROGRAM: " .. message .. "\nusage\n", status = 1}, got)
  end

  it("finds the library without a path", function()
    assert.equal("table\ttable", output([[LUA_PATH=none $LUA -E -e '
      print(type(require "gru"), type(require "gru.nn"))']]))
  end)

  it("calls the library's files as a searcher does", function()
    -- the first call from the main chunk sees its source and its varargs
    assert.equal("@gru/init.lua\tgru\tgru/init.lua", output([[$LUA -e '
      debug.sethook(function()
        local source = debug.getinfo(2, "S").source
        if source == "@gru/init.lua" then
          debug.sethook()
          local _, name = debug.getlocal(2, -1)
          local _, file = debug.getlocal(2, -2)
          print(source, name, file)
        end
      end, "c")
      require "gru"']]))
  end)

  it("does not load the runtime by itself", function()
    assert.equal("nil\tnil", output([[$LUA --threads 2 -e '
      print(package.loaded["gru.core"], package.loaded.gru)']]))
  end)

  it("sets the number of threads", function()
    local print_threads = [[ -e 'print(require("gru").get_num_threads())']]
    assert.equal("3", output("$LUA --threads 3" .. print_threads))
    assert.equal("2", output("$LUA -W --threads=2" .. print_threads))
    assert.equal("1", output("$LUA --threads 5 --threads 1" .. print_threads))
  end)

  it("sets the seed", function()
    local draw = [[ -e 'print(require("gru").rand(1):item())']]
    local first = output("$LUA --seed 7" .. draw)
    assert.equal(first, output("$LUA --seed=7" .. draw))
    assert.not_equal(first, output("$LUA --seed 8" .. draw))
    assert.equal(first, output(
      [[$LUA -e 'local g = require "gru" g.manual_seed(7) print(g.rand(1):item())']]))
    output("$LUA --seed 18446744073709551615" .. draw)
  end)

  it("sets the memory limit", function()
    local print_limit = [[ -e 'print(require("gru").memory().limit)']]
    assert.equal("500000", output("$LUA --max-memory 500000" .. print_limit))
    assert.equal("524288", output("$LUA --max-memory 512K" .. print_limit))
    assert.equal("67108864", output("$LUA --max-memory=64m" .. print_limit))
    assert.equal("3221225472", output("$LUA --max-memory 3G" .. print_limit))
  end)

  it("sets the default device", function()
    assert.equal("cpu", output([[$LUA --device cpu -e 'print(require("gru").zeros(1).device)']]))
  end)

  it("says at once when the device is not there", function()
    for _, name in ipairs {"cuda:77", "toaster"} do
      local got = gru("$LUA -v --device " .. name .. " -e 'print(1)'")
      assert.equal("", got.out)
      assert.equal(1, got.status)
      assert.matches("^PROGRAM: [^\n]*" .. name .. "[^\n]*\n$", got.err)
    end
  end)

  it("rejects bad values", function()
    local threads = "'--threads' cannot be '%s' (wanted: 1 to 256)"
    for _, value in ipairs {"0", "257", "2x", "1.5", "99999999999999999999999"} do
      rejects("--threads " .. value, threads:format(value))
    end
    rejects("--threads=-1", threads:format("-1"))
    local seed = "'--seed' cannot be '%s' (wanted: 0 to 18446744073709551615)"
    rejects("--seed=-1", seed:format("-1"))
    rejects("--seed 18446744073709551616", seed:format("18446744073709551616"))
    rejects("--seed ' 1'", seed:format(" 1"))
    local size = "'--max-memory' cannot be '%s' (wanted: bytes, such as 500000, 512K, 64M or 2G)"
    for _, value in ipairs {"0", "K", "1T", "1KB", "1.5G", "17179869184G", "x"} do
      rejects("--max-memory " .. value, size:format(value))
    end
  end)

  it("wants values", function()
    for _, name in ipairs {"--device", "--threads", "--seed", "--max-memory"} do
      rejects(name, "'" .. name .. "' needs argument")
      rejects(name .. "=", "'" .. name .. "=' needs argument")
    end
  end)

  it("rejects names that are only similar", function()
    for _, name in ipairs {"--thread=1", "--threads2", "--version=1", "--helpme", "-threads"} do
      rejects(name, "unrecognized option '" .. name .. "'")
    end
  end)

  it("leaves options after the script alone", function()
    assert.equal("dots\t3\t--threads\t0\t--help\n-2\tPROGRAM\n-1\t--seed=1\n"
      .. "0\targs.lua\n1\t--threads\n2\t0\n3\t--help",
      output("$LUA --seed=1 args.lua --threads 0 --help"))
  end)

  it("shows versions and devices", function()
    local text = output("$LUA --threads 2 --version")
    assert.matches("^gru%-lua %d+%.%d+%.%d+ %(Lua 5%.4%.%d+%)\ncpu: 2 threads\ncuda:", text)
    assert.matches("\ncpu: 1 thread\n", output("$LUA --version --threads 1 missing.lua"))
  end)

  it("shows how it is called", function()
    local own = capture("'" .. GRU .. "' --help")
    local usage = capture("'" .. STOCK .. "' -x 2>&1"):match("Available options.*")
    assert.truthy(own:find("^usage: .- %[options%] %[script %[args%]%]\n"))
    assert.truthy(own:find(usage, 1, true))
    for _, name in ipairs {"device NAME", "threads N", "seed N", "max-memory SIZE", "version", "help"} do
      assert.truthy(own:find("\n  --" .. name, 1, true), name)
    end
    assert.equal("", gru("$LUA --help args.lua").err)
    assert.equal(0, gru("$LUA --help args.lua").status)
    assert.equal(own, capture("'" .. GRU .. "' -x 2>&1"):gsub("^[^\n]*\n", ""))
  end)

  it("runs busted", function()
    local got = gru("busted --lua=$LUA -o plainTerminal tiny_spec.lua")
    assert.matches("1 success", got.out)
    assert.equal(0, got.status)
  end)
end)

-- ---- Ctrl-C ------------------------------------------------------------------------------

describe("Ctrl-C in gru-lua", function()
  -- Runs script.lua in the background, and sends signals once it has run ready.lua.
  local function interrupt(script, signals, command)
    write_file("script.lua", script)
    return gru([[
      rm -f ready
      ]] .. (command or "$LUA script.lua") .. [[ &
      pid=$!
      tries=0
      while [ ! -s ready ] && [ $tries -lt 400 ]; do sleep 0.05; tries=$((tries + 1)); done
      ]] .. (signals or "sleep 0.2; kill -INT $pid") .. [[

      wait $pid]])
  end

  local LOOP = "dofile 'ready.lua'\nlocal i = 0\nwhile true do i = i + 1 end\n"

  local function assert_interrupted(got)
    assert.matches("^PROGRAM: [^\n]*interrupted!\nstack traceback:\n", got.err)
    assert.equal(130, got.status)
  end

  it("ends a script with status 130", function()
    assert_interrupted(interrupt(LOOP))
  end)

  it("ends -e, - and plain stdin with status 130", function()
    assert_interrupted(interrupt(LOOP, nil, [[$LUA -e 'dofile "script.lua"']]))
    assert_interrupted(interrupt(LOOP, nil, "$LUA - <script.lua"))
    assert_interrupted(interrupt(LOOP, nil, "$LUA <script.lua"))
  end)

  it("runs finalisers and to-be-closed variables", function()
    local got = interrupt("local x <close> = setmetatable({}, {__close = function() print 'closed' end})\n"
      .. "y = setmetatable({}, {__gc = function() print 'collected' end})\n" .. LOOP)
    assert_interrupted(got)
    assert.equal("closed\ncollected\n", got.out)
  end)

  it("raises an error that a script can catch", function()
    local got = interrupt("local ok, why = pcall(function() " .. LOOP .. " end)\n"
      .. "print(ok, why:match('interrupted!'), debug.gethook())\n")
    assert.same({out = "false\tinterrupted!\tnil\n", err = "", status = 0}, got)
  end)

  it("gives status 1 for another error after one that was caught", function()
    local got = interrupt("pcall(function() " .. LOOP .. " end)\nerror('another', 0)\n")
    assert.matches("^PROGRAM: another\n", got.err)
    assert.equal(1, got.status)
  end)

  it("gives status 1 for a script that says so itself", function()
    assert.equal(1, gru("$LUA -e 'error(\"interrupted!\")'").status)
  end)

  it("comes back to the prompt", function()
    local got = interrupt("dofile 'ready.lua' while true do end\nprint('alive')\n", nil,
      "$LUA -i <script.lua")
    assert.matches("^[^\n]*interrupted!\n", got.err)
    assert.matches("alive\n", got.out)
    assert.equal(0, got.status)
  end)

  it("kills at the second time, while the first one waits", function()
    -- pattern matching runs in C, where no hook is called
    local got = interrupt("dofile 'ready.lua'\n"
      .. "string.find(('a'):rep(200), ('a-'):rep(30) .. 'b')\nprint('not reached')\n",
      "sleep 0.3; kill -INT $pid; sleep 0.5; kill -0 $pid && echo pending; kill -INT $pid")
    assert.equal("pending\n", got.out)
    assert.equal("", got.err:gsub("Interrupt\n", ""))
    assert.equal(130, got.status)
  end)

  it("stops tensor ops, once", function()
    local got = interrupt([[
      local gru = require "gru"
      local x = gru.ones(1500, 1500)
      local ok, why = pcall(function()
        dofile "ready.lua"
        while true do local _ = x:matmul(x) end
      end)
      print(ok, why:match("interrupted!"))
      for _ = 1, 1000 do local _ = #why end
      print("alive")
    ]])
    assert.same({out = "false\tinterrupted!\nalive\n", err = "", status = 0}, got)
  end)

  it("ends a script inside a tensor op with status 130", function()
    assert_interrupted(interrupt([[
      local x = require("gru").ones(1500, 1500)
      dofile "ready.lua"
      while true do local _ = x:matmul(x) end
    ]]))
  end)
end)
