-- gru-lua does what stock `lua` does: each command line runs twice, and stdout, stderr and exit status
-- are compared.  To add a case: one row.
local command_line = require "tests.support.command_line"

local STOCK = command_line.stock
local gru, run, without_prompts = command_line.gru, command_line.run, command_line.without_prompts

setup(command_line.make_folder)
teardown(command_line.remove_folder)

-- {what, command line [, stdin]}
local SAME = {
  {"runs a script with arguments", "$LUA args.lua a 'b c' ''"},
  {"puts options into negative positions of arg", "$LUA -W -e 'x = 1' args.lua -i --threads"},
  {"counts arg from the script after --", "$LUA -W -- args.lua -x"},
  {"has the program at arg[0] without a script", "$LUA -e 'print(arg[0], arg[1], arg[-1], #arg)'"},
  {"has the options after it without a script", "$LUA -W -e 'print(arg[0], arg[1], arg[2])'"},
  {"passes what a script reads from arg, changed before", "$LUA -e 'arg[1] = 7 arg[2] = 8' args.lua"},
  {"wants arg to be a table", "$LUA -e 'arg = 1' args.lua"},
  {"skips a first line with #", "$LUA shebang.lua"},
  {"says when there is no script", "$LUA missing.lua"},
  {"says when the script is a folder", "$LUA ."},
  {"takes an empty script name as a file", "$LUA ''"},
  {"reports a syntax error", "$LUA syntax.lua"},
  {"reports an error with a traceback", "$LUA fail.lua"},
  {"runs -e", "$LUA -e 'print(1)'"},
  {"runs a joined -e", "$LUA '-eprint(2)'"},
  {"runs several -e in order", "$LUA -e 'x = 1' -e 'print(x)' -e 'print(x + 1)'"},
  {"stops at the first -e that fails", "$LUA -e 'error(\"one\", 0)' -e 'print(2)' args.lua"},
  {"reports a syntax error in -e", "$LUA -e 'x ='"},
  {"wants a value for -e", "$LUA -e"},
  {"wants a value for -e before another option", "$LUA -e -W"},
  {"takes an empty value for -e", "$LUA -e '' args.lua"},
  {"wants a value for -l", "$LUA -l"},
  {"requires -l mod into a global", "$LUA -l mod -e 'print(mod.value)'"},
  {"requires a joined -lmod", "$LUA -lmod -e 'print(mod.value)'"},
  {"requires -l g=mod into another global", "$LUA -l g=mod -e 'print(g.value, mod)'"},
  {"leaves -l g=mod whole in arg", "$LUA -l g=mod args.lua"},
  {"requires a name with a hyphen", "$LUA -l a-b -e 'print(type(_G[\"a-b\"]))'"},
  {"requires a module that returns nothing", "$LUA -l no -e 'print(no)'"},
  {"reports a -l that fails", "$LUA -l broken -e 'print(1)'"},
  {"reports a -l that is not there", "$LUA -l missing.module args.lua"},
  {"does -e and -l in order", "$LUA -e 'print(mod)' -l mod -e 'print(mod.value)'"},
  {"shows the version with -v, and stops", "$LUA -v", "print('not read')"},
  {"shows the version before a script", "$LUA -v args.lua x"},
  {"shows the version before an error", "$LUA -v fail.lua"},
  {"rejects joined flags", "$LUA -iv"},
  {"rejects -Ex", "$LUA -Ex"},
  {"rejects an unknown option", "$LUA -x args.lua"},
  {"rejects an unknown long option", "$LUA --nothing"},
  {"rejects an unknown option after good ones", "$LUA -e 'print(1)' -W -z"},
  {"rejects the old -a", "$LUA -a"},
  {"turns warnings on with -W", "$LUA -W -e 'warn(\"a\", \"b\")'"},
  {"keeps warnings off without -W", "$LUA -e 'warn(\"a\")'"},
  {"turns warnings on where -W stands", "$LUA -e 'warn(\"a\")' -W -e 'warn(\"b\")'"},
  {"follows @on and @off", "$LUA -e 'warn(\"@on\") warn(\"a\") warn(\"@off\") warn(\"b\")'"},
  {"runs stdin without arguments", "$LUA", "print('from stdin', ...) print(arg[0])"},
  {"warns in parts, which are no control messages",
    "$LUA -W -e 'warn(\"a\", \"@off\", \"b\") warn(\"@odd\") warn(\"c\", \"@off\") warn(\"d\")'"},
  {"runs stdin after options that run nothing", "$LUA -W --", "warn('from stdin')"},
  {"runs stdin for -", "$LUA - a b", "print('from stdin', ...) print(arg[0], arg[1])"},
  {"runs a file called - after --", "$LUA -- - a"},
  {"runs a file whose name begins with - after --", "$LUA -- -x.lua"},
  {"does not read stdin after -e", "$LUA -e 'print(1)'", "print('not read')"},
  {"lets a script read stdin", "$LUA -e 'print(io.read(\"n\", \"l\", \"a\"))'", "12 rest\nlast"},
  {"succeeds though stdin fails", "$LUA", "error('x')"},
  {"fails when - fails", "$LUA -", "error('x')"},
  {"reports a syntax error in stdin", "$LUA -", "x = ="},
  {"runs LUA_INIT", "LUA_INIT='print(\"init\", ...)' $LUA args.lua"},
  {"runs a file named by LUA_INIT", "LUA_INIT=@startup.lua $LUA -e 'print(started)'"},
  {"prefers LUA_INIT_5_4", "LUA_INIT='print(1)' LUA_INIT_5_4='print(2)' $LUA -e 'print(3)'"},
  {"takes an empty LUA_INIT_5_4", "LUA_INIT='print(1)' LUA_INIT_5_4= $LUA -e 'print(3)'"},
  {"stops when LUA_INIT fails", "LUA_INIT='error(\"bad init\")' $LUA -e 'print(1)'"},
  {"names LUA_INIT_5_4 in errors", "LUA_INIT_5_4='x = ' $LUA -e 'print(1)'"},
  {"says when the file of LUA_INIT is missing", "LUA_INIT=@missing.lua $LUA -e 'print(1)'"},
  {"runs LUA_INIT before -l", "LUA_INIT='print(mod)' $LUA -l mod"},
  {"ignores LUA_INIT with -E", "LUA_INIT='print(1)' LUA_INIT_5_4='print(2)' $LUA -E args.lua"},
  {"follows LUA_PATH", "LUA_PATH='x/?.lua;;y/?.lua' $LUA -e 'print(package.path)'"},
  {"follows LUA_CPATH_5_4", "LUA_CPATH='a' LUA_CPATH_5_4='b/?.so;;' $LUA -e 'print(package.cpath)'"},
  {"ignores LUA_PATH with -E", "LUA_PATH=x LUA_CPATH=y $LUA -E -e 'print(package.path, package.cpath)'"},
  {"has the same globals", "$LUA -e 't = {} for k in pairs(_G) do t[#t + 1] = k end table.sort(t) "
    .. "print(table.concat(t, \" \"))'"},
  {"reports an error without a position", "$LUA -e 'error(\"plain\", 0)'"},
  {"reports an error that is a number", "$LUA -e 'error(12.5)'"},
  {"reports an error that is a table", "$LUA -e 'error({})'"},
  {"reports an error that is nil", "$LUA -e 'error()'"},
  {"reports an error that is a boolean", "$LUA -e 'error(false)'"},
  {"reports an error with __tostring, without traceback",
    "$LUA -e 'error(setmetatable({}, {__tostring = function() return \"speaks\" end}))'"},
  {"reports an error whose __tostring is no string",
    "$LUA -e 'error(setmetatable({}, {__tostring = function() return {} end}))'"},
  {"reports an error with __name", "$LUA -e 'error(setmetatable({}, {__name = \"My.Type\"}))'"},
  {"reports an error inside a coroutine", "$LUA -e 'coroutine.wrap(function() error(\"inside\") end)()'"},
  {"reports a stack overflow", "$LUA -e 'local function f() return 1 + f() end f()' 2>&1 | head -1"},
  {"exits with os.exit(3)", "$LUA -e 'os.exit(3)' args.lua"},
  {"exits with os.exit(true) and os.exit(false)", "$LUA -e 'os.exit(true)'; $LUA -e 'os.exit(false)'"},
  {"closes the state on os.exit(2, true)",
    "$LUA -e 'setmetatable({}, {__gc = function() print(\"gone\") end}) os.exit(2, true)'"},
  {"runs finalisers at the end", "$LUA -e 'setmetatable({}, {__gc = function() print(\"gone\") end})'"},
  {"runs finalisers after an error",
    "$LUA -e 'setmetatable({}, {__gc = function() print(\"gone\") end}) error(\"x\")'"},
  {"warns of an error in a finaliser",
    "$LUA -W -e 'setmetatable({}, {__gc = function() error(\"in gc\") end})'"},
  {"collects in generational mode", "$LUA -e 'print(collectgarbage(\"incremental\"))'"},
  {"leaves no hook behind", "$LUA -e 'print(debug.gethook())'"},
  {"loads C modules of the system", "$LUA -e 'print(require(\"lfs\")._VERSION)'"},
  {"uses the name it was called by", "ln -sf \"$(command -v $LUA)\" other; ./other -e 'error(\"x\", 0)'"},
  {"does -i after a script", "$LUA -i args.lua a", ""},
  {"does not do -i after a script that fails", "$LUA -i fail.lua", "print('not read')"},
}

describe("gru-lua, as stock lua,", function()
  for _, case in ipairs(SAME) do
    local what, command, stdin = table.unpack(case)
    it(what, function()
      local expected = run(STOCK, command, stdin)
      local got = gru(command, stdin)
      if command:find("^%$LUA %-i ") then
        expected.out = without_prompts(expected.out, stdin)
        got.out = without_prompts(got.out, stdin)
      end
      assert.same(expected, got)
    end)
  end
end)

-- {what, input}
local SESSIONS = {
  {"prints expressions", "1 + 1\n'a', nil, {} == {}\nnil\n"},
  {"prints nothing for statements", "x = 1\nlocal y = 2\n\n   \nprint()\n"},
  {"accepts = as before 5.3", "=1 + 2\n= 'a' .. 'b'\n"},
  {"accepts a semicolon", "40 + 2;\nx = 3;\nx;\n"},
  {"continues a statement", "for i = 1, 3 do\n  print(i * 100)\nend\nx = (\n  7 * 7\n)\nx\n"},
  {"continues a long string", "s = [[one\ntwo\n]]\n#s\n"},
  {"keeps globals, not locals", "a = 5\nlocal b = 6\na, b\n"},
  {"reports errors and goes on", "error('first')\nfoo bar\nerror({})\nnil + 1\n'alive'\n"},
  {"reports errors in functions", "function f() error('deep') end\nf()\n'alive'\n"},
  {"prints through the global print", "old = print print = function(...) old('seen', ...) end\n77\n"},
  {"says when print fails", "print = nil\n5\nprint = 6\n5\n"},
  {"follows os.exit", "os.exit(4)\n'not read'\n"},
  {"prints varargs of functions", "function f(...) return ... end\nf(1, nil, 3)\nf()\n"},
  {"ends without a last newline", "'no newline'"},
  {"warns", "warn('@on')\nwarn('careful')\n"},
}

describe("gru-lua -i", function()
  for _, case in ipairs(SESSIONS) do
    local what, input = table.unpack(case)
    it(what, function()
      local expected = run(STOCK, "$LUA -i", input)
      local got = gru("$LUA -i", input)
      expected.out = without_prompts(expected.out, input)
      got.out = without_prompts(got.out, input)
      assert.same(expected, got)
    end)
  end

  it("writes its prompts", function()
    local got = gru("$LUA -i", "x = (\n1)\nx\n")
    assert.equal(gru("$LUA -v").out .. "> >> > 1\n> \n", got.out)
  end)

  it("writes the prompts that a script set", function()
    local got = gru("$LUA -i -e '_PROMPT = \"in: \" _PROMPT2 = setmetatable({}, "
      .. "{__tostring = function() return \"more: \" end})'", "x = (\n1)\n")
    assert.equal(gru("$LUA -v").out .. "in: more: in: \n", got.out)
  end)

  it("reads long lines", function()
    local got = gru("$LUA -i", "x = '" .. ("y"):rep(100000) .. "'\n#x\n")
    assert.matches("> 100000\n", got.out)
  end)

  it("says what an input that ends too early lacks", function()
    local got = gru("$LUA -i", "x = (")
    assert.equal("stdin:1: unexpected symbol near <eof>\n", got.err)
    assert.equal(0, got.status)
  end)
end)
