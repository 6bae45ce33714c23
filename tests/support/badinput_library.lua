--- Calls that must be refused, one a line: `call --> part of the message`.
--
-- Everything else: autograd, optim, text, d2l, data, files, the runtime. What the names stand for is said
-- in `badinput_spec.lua`.
return [==[
gru.manual_seed()  --> bad argument #1 to 'manual_seed' (number expected, got no value)
gru.manual_seed("a")  --> bad argument #1 to 'manual_seed' (number expected, got string)
gru.manual_seed(1.5)  --> bad argument #1 to 'manual_seed' (number has no integer representation)
gru.manual_seed(1, "mt")  --> bad argument #2 to 'manual_seed' (invalid option 'mt')
gru.manual_seed(1, 2)  --> bad argument #2 to 'manual_seed' (invalid option '2')
gru.get_rng_state(1)  --> get_rng_state: too many arguments
gru.set_rng_state()  --> bad argument #1 to 'set_rng_state' (tensor expected, got nothing)
gru.set_rng_state(1)  --> bad argument #1 to 'set_rng_state' (tensor expected, got number)
gru.set_rng_state(x)  --> set_rng_state: an int64 tensor of 1 dim, as get_rng_state gives it, expected; got fl
gru.set_rng_state(ids)  --> set_rng_state: no state that get_rng_state gave: 629 numbers
gru.set_num_threads()  --> bad argument #1 to 'set_num_threads' (number expected, got no value)
gru.set_num_threads("a")  --> bad argument #1 to 'set_num_threads' (number expected, got string)
gru.set_num_threads(0)  --> set_num_threads: expected 1 to 256, got 0
gru.set_num_threads(-1)  --> set_num_threads: expected 1 to 256, got -1
gru.set_num_threads(1.5)  --> bad argument #1 to 'set_num_threads' (number has no integer representation)
gru.set_num_threads(1000000)  --> set_num_threads: expected 1 to 256, got 1000000
gru.set_default_dtype()  --> bad argument #1 to 'set_default_dtype' (dtype expected, got nothing)
gru.set_default_dtype("int64")  --> set_default_dtype: float32 or float64, got int64
gru.set_default_dtype("x")  --> bad argument #1 to 'set_default_dtype' (unknown dtype 'x'
gru.set_default_dtype(1)  --> bad argument #1 to 'set_default_dtype' (dtype expected, got number)
gru.set_default_device()  --> bad argument #1 to 'set_default_device' (string expected, got no value)
gru.set_default_device("x")  --> set_default_device: device 'x:0'
gru.set_default_device("cuda:77")  --> set_default_device: device 'cuda:77'
gru.set_default_device(1)  --> set_default_device: device '1': expected a name such as "cpu" or "cuda:0"
gru.memory("x")  --> memory: device 'x:0'
gru.memory(1)  --> memory: device '1': expected a name such as "cpu" or "cuda:0"
gru.memory({})  --> bad argument #1 to 'memory' (string expected, got table)
gru.device_check()  --> bad argument #1 to 'device_check' (string expected, got no value)
gru.device_check({})  --> bad argument #1 to 'device_check' (string expected, got table)
gru.no_grad(1)  --> no_grad: a function or nothing expected, got number
gru.enable_grad("a")  --> enable_grad: a function or nothing expected, got string
gru.set_grad_enabled()  --> bad argument #1 to 'set_grad_enabled' (boolean expected, got no value)
gru.set_grad_enabled(1)  --> bad argument #1 to 'set_grad_enabled' (boolean expected, got number)
gru.set_anomaly_mode()  --> bad argument #1 to 'set_anomaly_mode' (boolean expected, got no value)
gru.set_anomaly_mode(1)  --> bad argument #1 to 'set_anomaly_mode' (boolean expected, got number)
gru.scope()  --> scope: a function expected, got nil
gru.scope(1)  --> scope: a function expected, got number
gru.is_tensor()  --> bad argument #1 to 'is_tensor' (value expected)
gru.save()  --> save: a table of tensors expected, got nil
gru.save("a")  --> save: a table of tensors expected, got nil
gru.save(1, {})  --> bad argument #1 to 'save' (path: string expected, got number)
gru.save("a", x)  --> save: a table of tensors expected, got a tensor: give it a name
gru.save("a", {x})  --> save: names must be strings, got a number: 1
gru.save("a", {x = 1})  --> save: 'x' is a number
gru.save("a", {x = x}, 1)  --> save: metadata must be a table of strings, got number
gru.save("a", {x = x}, {a = 1})  --> save: metadata 'a' is a number
gru.save("a", {x = x}, {1})  --> save: keys of the metadata must be strings, got a number: 1
gru.save("a\0b", {x = x})  --> bad argument #1 to 'save' (path: it holds a NUL)
gru.save({}, {x = x})  --> bad argument #1 to 'save' (path: string expected, got table)
gru.save("/nonexistent/q.st", {["\xff"] = x})  --> not UTF-8
gru.save("/nonexistent/q.st", {["__metadata__"] = x})  --> save: /nonexistent/q.st: '__metadata__' is the
gru.load()  --> bad argument #1 to 'load' (path: string expected, got nothing)
gru.load(1)  --> bad argument #1 to 'load' (path: string expected, got number)
gru.load({})  --> bad argument #1 to 'load' (path: string expected, got table)
gru.load("a\0b")  --> bad argument #1 to 'load' (path: it holds a NUL)
gru.load("a", {})  --> bad argument #2 to 'load' (string expected, got table)
gru.load("a", "tpu")  --> load: device 'tpu:0'
gru.load_npy("a", "tpu")  --> load_npy: device 'tpu:0'
gru.load("a", "cpu", 1)  --> load: too many arguments: 3, at most 2 expected
gru.checkpoint.save()  --> checkpoint.save: a path expected, got nil
gru.checkpoint.save({}, {})  --> checkpoint.save: a path expected, got table
gru.checkpoint.save("a")  --> checkpoint.save: a table by name expected, {model = ...}, got nil
gru.checkpoint.save("a", x)  --> checkpoint.save: a table by name expected, {model = ...}, got userdata
gru.checkpoint.save("a", nn.Linear(2, 2))  --> checkpoint.save: a table by name expected, {model = ...}, got a
gru.checkpoint.save("a", {1})  --> checkpoint.save: names must be strings, got a number: 1
gru.checkpoint.save("a", {generator = 1})  --> checkpoint.save: the name 'generator' is taken
gru.checkpoint.save("a", {a = print})  --> checkpoint.save: a: a function cannot be saved
gru.checkpoint.save("a\0b", {})  --> bad argument #1 to 'save' (path: it holds a NUL)
gru.checkpoint.load()  --> bad argument #1 to 'load' (path: string expected, got nothing)
gru.checkpoint.load(1)  --> bad argument #1 to 'load' (path: string expected, got number)
gru.checkpoint.load("a", {})  --> bad argument #2 to 'load' (string expected, got table)
gru.checkpoint.restore("a")  --> checkpoint.restore: a table of objects by name expected, {model = ...}, got n
gru.checkpoint.restore("a", nn.Linear(2, 2))  --> checkpoint.restore: a table of objects by name expected
gru.checkpoint.restore("a", {epoch = 1})  --> checkpoint.restore: 'epoch' has no load_state_dict
gru.save_npy()  --> bad argument #1 to 'save_npy' (path: string expected, got nothing)
gru.save_npy("a")  --> bad argument #2 to 'save_npy' (tensor expected, got nothing)
gru.save_npy("a", 1)  --> bad argument #2 to 'save_npy' (tensor expected, got number)
gru.save_npy(1, x)  --> bad argument #1 to 'save_npy' (path: string expected, got number)
gru.save_npy("/nonexistent/a", x, 1)  --> save_npy: too many arguments: 3, at most 2 expected
gru.load_npy()  --> bad argument #1 to 'load_npy' (path: string expected, got nothing)
gru.load_npy({})  --> bad argument #1 to 'load_npy' (path: string expected, got table)
gru.autograd.grad()  --> grad: outputs must be a tensor or a table of them, got nil
gru.autograd.grad(x)  --> grad: inputs must be a tensor or a table of them, got nil
gru.autograd.grad(1, x)  --> grad: outputs must be a tensor or a table of them, got number
gru.autograd.grad(x, 1)  --> grad: inputs must be a tensor or a table of them, got number
gru.autograd.grad(x, x)  --> grad: input 1 does not require grad
gru.autograd.grad({}, {x})  --> grad: no outputs
gru.autograd.grad(x:sum(), {})  --> grad: no inputs
gru.autograd.grad({1}, {x})  --> grad: outputs[1] must be a tensor, got number
gru.autograd.grad({x}, {"a"})  --> grad: inputs[1] must be a tensor, got string
gru.autograd.grad(x, x, 1)  --> grad: options must be a table, got number
gru.autograd.grad(x, x, {foo = 1})  --> grad: unknown option 'foo'
gru.autograd.grad(x, x, {grad_outputs = 1})  --> grad: grad_outputs must be a tensor or a table of them,
gru.autograd.gradcheck()  --> gradcheck: a function expected, got nil
gru.autograd.gradcheck(1, x)  --> gradcheck: a function expected, got number
gru.autograd.gradcheck(gru.exp)  --> gradcheck: inputs must be a tensor or a table of them, got nil
gru.autograd.gradcheck(gru.exp, x)  --> gradcheck: no input requires grad
gru.autograd.gradcheck(gru.exp, {})  --> gradcheck: no inputs
gru.autograd.gradcheck(gru.exp, 1)  --> gradcheck: inputs must be a tensor or a table of them, got number
gru.autograd.gradcheck(gru.exp, gru.ones(2, {requires_grad = true}))  --> gradcheck: input 1 must be
gru.autograd.gradcheck(gru.exp, w, 1)  --> gradcheck: options must be a table, got number
gru.autograd.gradcheck(gru.exp, w, {tol = 1})  --> gradcheck: unknown option 'tol'
gru.autograd.gradcheck(function() return 1 end, w)  --> gradcheck: the function must return a tensor, got
gru.autograd.gradgradcheck()  --> gradgradcheck: a function expected, got nil
gru.autograd.gradgradcheck(1, x)  --> gradgradcheck: a function expected, got number
gru.autograd.gradgradcheck(gru.exp, x)  --> gradcheck: no input requires grad
gru.autograd.Function:extend()  --> extend: a name expected, got nil
gru.autograd.Function:extend(1)  --> extend: a name expected, got number
gru.autograd.Function:extend("A").apply(x)  --> A: the class defines no forward
gru.reset_peak_memory("tpu")  --> reset_peak_memory: device 'tpu:0'
gru.reset_peak_memory("cpu", 1)  --> reset_peak_memory: too many arguments: 2, at most 1 expected
gru.empty_cache(1)  --> empty_cache: too many arguments: 1, at most 0 expected
gru.get_num_threads(1)  --> get_num_threads: too many arguments: 1, at most 0 expected
gru.set_printoptions(1)  --> set_printoptions: options must be a table, got number
gru.set_printoptions({foo = 1})  --> set_printoptions: unknown option 'foo'
gru.set_printoptions({precision = "a"})  --> set_printoptions: precision must be a number, got a
gru.set_printoptions({precision = -1})  --> set_printoptions: precision must be a number, got -1
gru.cuda.memory_allocated(99)  --> cuda.memory_allocated: device 'cuda:99'
gru.cuda.max_memory_allocated(99)  --> cuda.max_memory_allocated: device 'cuda:99'
gru.cuda.reset_peak_memory_stats(99)  --> cuda.reset_peak_memory_stats: device 'cuda:99'
gru.cuda.memory_allocated("a")  --> cuda.memory_allocated: expected a name such as "cuda:0"
optim.SGD()  --> SGD: a table of parameters or of groups expected, got nil
optim.SGD(1)  --> SGD: a table of parameters or of groups expected, got number
optim.SGD(x)  --> SGD: a table of parameters or of groups expected, got one tensor
optim.SGD({})  --> SGD: no parameters
optim.SGD({1})  --> SGD: a tensor or a group, {params = {...}}, expected, got number
optim.SGD({x, x})  --> SGD: parameter 2 is there twice
optim.SGD({x*gru.ones(3, {requires_grad = true})})  --> SGD: parameter 1 is not a leaf
optim.SGD({x}, 1)  --> SGD: options must be a table, {lr = ...}, got number
optim.SGD({x}, {foo = 1})  --> SGD: unknown option 'foo'
optim.SGD({x}, {lr = "a"})  --> SGD: lr must be >= 0, got a
optim.SGD({x}, {lr = -1})  --> SGD: lr must be >= 0, got -1
optim.SGD({x}, {lr = 0/0})  --> SGD: lr must be >= 0, got
optim.SGD({x}, {momentum = -1})  --> SGD: momentum must be >= 0, got -1
optim.SGD({x}, {nesterov = true})  --> SGD: nesterov wants a momentum and no dampening
optim.SGD({x}, {nesterov = 1})  --> SGD: nesterov must be true or false, got 1
optim.SGD({x}, {weight_decay = "a"})  --> SGD: weight_decay must be >= 0, got a
optim.SGD({x}, {dampening = "a"})  --> SGD: dampening must be >= -inf, got a
optim.SGD({{params = {x}}, {params = {x}}})  --> SGD: parameter 1 is there twice
optim.SGD({{lr = 1}})  --> SGD: a tensor or a group, {params = {...}}, expected, got a table without
optim.SGD({{params = {1}}})  --> SGD: parameter 1 is a number
optim.SGD({{params = {x}, foo = 1}})  --> SGD: unknown option 'foo'
optim.SGD({i})  --> SGD: parameter 1 is int64, which has no gradient
optim.Adam({x}, {betas = 1})  --> Adam: betas must be a table of two numbers
optim.Adam({x}, {betas = {1}})  --> Adam: betas must be a table of two numbers
optim.Adam({x}, {betas = {1, 1}})  --> Adam: betas[1] must be in 0 .. 1, the end excluded, got 1
optim.Adam({x}, {betas = {"a", 0.9}})  --> Adam: betas[1] must be in 0 .. 1, the end excluded, got a
optim.Adam({x}, {eps = -1})  --> Adam: eps must be >= 0, got -1
optim.Adam({x}, {amsgrad = 1})  --> Adam: amsgrad must be true or false, got 1
optim.AdamW({x}, {weight_decay = -1})  --> AdamW: weight_decay must be >= 0, got -1
optim.AdamW({x}, {betas = {0.9}})  --> AdamW: betas must be a table of two numbers
optim.RMSprop({x}, {alpha = -1})  --> RMSprop: alpha must be >= 0, got -1
optim.RMSprop({x}, {centered = 1})  --> RMSprop: centered must be true or false, got 1
optim.RMSprop({x}, {momentum = "a"})  --> RMSprop: momentum must be >= 0, got a
optim.Adagrad({x}, {lr_decay = -1})  --> Adagrad: lr_decay must be >= 0, got -1
optim.Adagrad({x}, {initial_accumulator_value = "a"})  --> Adagrad: initial_accumulator_value must be >= 0,
optim.Adadelta({x}, {rho = 2})  --> Adadelta: rho must be in 0 .. 1, got 2
optim.Adadelta({x}, {rho = "a"})  --> Adadelta: rho must be >= 0, got a
optim.SGD({x}):step(1)  --> SGD: step: a function or nothing expected, got number
optim.SGD({x}):step(nil, {grad_scale = 2})  --> SGD: step: grad_scale must be a tensor
optim.SGD({x}):step(nil, {grad_scale = gru.ones(2)})  --> without dims, got one of 1 dims
optim.SGD({x}):step(nil, {scale = 2})  --> SGD: step: unknown option 'scale'; there are: grad_scale
optim.SGD({x}):zero_grad(1)  --> SGD: zero_grad: options must be a table, got number
optim.SGD({x}):zero_grad({foo = 1})  --> SGD: zero_grad: unknown option 'foo'
optim.SGD({x}):add_param_group()  --> SGD: a tensor or a group, {params = {...}}, expected, got nil
optim.SGD({x}):add_param_group(1)  --> SGD: a tensor or a group, {params = {...}}, expected, got number
optim.SGD({x}):add_param_group({params = {x}})  --> SGD: parameter 1 is there twice
optim.SGD({x}):add_param_group({params = {v}, foo = 1})  --> SGD: unknown option 'foo'
optim.SGD({x}):add_param_group({params = v})  --> SGD: a tensor or a group, {params = {...}}, expected, got
optim.SGD({x}):load_state_dict()  --> SGD: load_state_dict: what state_dict gave expected, {state = ...,
optim.SGD({x}):load_state_dict(1)  --> SGD: load_state_dict: what state_dict gave expected, {state = ...,
optim.SGD({x}):load_state_dict({})  --> SGD: load_state_dict: what state_dict gave expected, {state = ...,
optim.SGD({x}):load_state_dict({state = {}, param_groups = {}})  --> SGD: load_state_dict: 1 groups here, 0
optim.SGD({x}):load_state_dict({state = {}, param_groups = {{params = {1, 2}}}})  --> SGD: load_state_dict:
optim.SGD({x}):load_state_dict({state = {}, param_groups = {{params = {1}, lr = "a"}}})  --> SGD: load_state
optim.SGD({x}):load_state_dict({state = {{m = v}}, param_groups = {{params = {1}}}})  --> has the shape [4]
optim.SGD({x}):load_state_dict({state = {[1] = 1}, param_groups = {{params = {1}}}})  --> SGD: load_state_di
optim.SGD({x}):load_state_dict({state = {}, param_groups = {1}})  --> SGD: load_state_dict: group 1 has no
optim.Optimizer.extend()  --> Optimizer.extend: a name and a table of defaults expected, got nil
S.StepLR()  --> StepLR: an optimiser expected, got nil
S.StepLR(1)  --> StepLR: an optimiser expected, got number
S.StepLR(o)  --> StepLR: step_size expected
S.StepLR(o, "a")  --> StepLR: step_size must be an integer, got string
S.StepLR(o, 0)  --> StepLR: step_size must be >= 1, got 0
S.StepLR(o, 1.5)  --> StepLR: step_size must be an integer, got 1.5
S.StepLR(o, 1, "a")  --> StepLR: gamma must be a number, got string
S.StepLR(o, 1, 1, 1, 1)  --> StepLR: 3 arguments at most, got 4
S.StepLR(o, 1, {foo = 1})  --> StepLR: unknown option 'foo'
S.StepLR(o, 1, {step_size = 1})  --> StepLR: step_size is given twice
S.StepLR(o, 1, {last_epoch = "a"})  --> StepLR: last_epoch must be an integer, got string
S.StepLR(o2(), 1, {last_epoch = 3})  --> StepLR: group 1 has no initial_lr, which last_epoch = 3 wants
S.MultiStepLR(o)  --> MultiStepLR: milestones expected
S.MultiStepLR(o, 1)  --> MultiStepLR: milestones must be a table, got 1
S.MultiStepLR(o, {1, "a"})  --> MultiStepLR: milestones[2] must be an integer, got a
S.ExponentialLR(o)  --> ExponentialLR: gamma expected
S.ExponentialLR(o, "a")  --> ExponentialLR: gamma must be a number, got string
S.LambdaLR(o)  --> LambdaLR: lr_lambda expected
S.LambdaLR(o, 1)  --> LambdaLR: lr_lambda must be a function or a table of functions, got number
S.LambdaLR(o, {print, print})  --> LambdaLR: lr_lambda has 2 functions for 1 groups
S.LambdaLR(o, {1})  --> LambdaLR: lr_lambda[1] must be a function, got number
S.LambdaLR(o, function() return "a" end)  --> LambdaLR: lr_lambda(0) must give a number, got string
S.ConstantLR(o, 2)  --> ConstantLR: factor must be in 0 .. 1, got 2
S.ConstantLR(o, "a")  --> ConstantLR: factor must be a number, got string
S.ConstantLR(o, 0.5, -1)  --> ConstantLR: total_iters must be >= 0, got -1
S.LinearLR(o, 0)  --> LinearLR: start_factor must be above 0: the next rate is a multiple of the
S.LinearLR(o, 2)  --> LinearLR: start_factor must be in 0 .. 1, got 2
S.LinearLR(o, 0.5, 3)  --> LinearLR: end_factor must be in 0 .. 1, got 3
S.LinearLR(o, 0.5, 1, 0)  --> LinearLR: total_iters must be >= 1, got 0
S.CosineAnnealingLR(o)  --> CosineAnnealingLR: T_max expected
S.CosineAnnealingLR(o, 0)  --> CosineAnnealingLR: T_max must be >= 1, got 0
S.CosineAnnealingLR(o, "a")  --> CosineAnnealingLR: T_max must be an integer, got string
S.CosineAnnealingLR(o, 3, "a")  --> CosineAnnealingLR: eta_min must be a number, got string
S.OneCycleLR(o)  --> OneCycleLR: max_lr expected
S.OneCycleLR(o, 0.1)  --> OneCycleLR: total_steps expected, or epochs and steps_per_epoch
S.OneCycleLR(o, "a", {total_steps = 3})  --> OneCycleLR: max_lr must be a number, got string
S.OneCycleLR(o, {0.1, 0.2}, {total_steps = 3})  --> OneCycleLR: max_lr has 2 values for 1 groups
S.OneCycleLR(o, 0.1, {total_steps = 0})  --> OneCycleLR: total_steps must be >= 1, got 0
S.OneCycleLR(o, 0.1, {epochs = 0, steps_per_epoch = 1})  --> OneCycleLR: epochs must be >= 1, got 0
S.OneCycleLR(o, 0.1, {total_steps = 3, pct_start = 2})  --> OneCycleLR: pct_start must be in 0 .. 1, got 2
S.OneCycleLR(o, 0.1, {total_steps = 3, anneal_strategy = "a"})  --> OneCycleLR: anneal_strategy must be
S.OneCycleLR(o, 0.1, {total_steps = 3, cycle_momentum = 1})  --> OneCycleLR: cycle_momentum must be a
S.OneCycleLR(o, 0.1, {total_steps = 3, div_factor = 0})  --> OneCycleLR: div_factor and final_div_factor
S.OneCycleLR(optim.Adagrad({x}), 0.1, {total_steps = 3})  --> OneCycleLR: Adagrad has no momentum to cycle
S.ReduceLROnPlateau(o, "a")  --> ReduceLROnPlateau: mode must be 'min' or 'max', got 'a'
S.ReduceLROnPlateau(o, 1)  --> ReduceLROnPlateau: mode must be a string, got 1
S.ReduceLROnPlateau(o, {factor = 1})  --> ReduceLROnPlateau: factor must be below 1, got 1
S.ReduceLROnPlateau(o, {threshold_mode = "a"})  --> ReduceLROnPlateau: threshold_mode must be 'rel' or
S.ReduceLROnPlateau(o, {patience = "a"})  --> ReduceLROnPlateau: patience must be an integer, got string
S.ReduceLROnPlateau(o, {min_lr = "a"})  --> ReduceLROnPlateau: min_lr must be a number, got string
S.ReduceLROnPlateau(o, {min_lr = {1, 2}})  --> ReduceLROnPlateau: min_lr has 2 values for 1 groups
S.ReduceLROnPlateau(o):step()  --> ReduceLROnPlateau: step: a number or a tensor with one element expected,
S.ReduceLROnPlateau(o):step("a")  --> ReduceLROnPlateau: step: a number or a tensor with one element
S.ReduceLROnPlateau(o):step(x)  --> ReduceLROnPlateau: step: a number or a tensor with one element
S.SequentialLR(o)  --> SequentialLR: schedulers expected
S.SequentialLR(o, {1}, {})  --> SequentialLR: milestones expected
S.SequentialLR(o, {}, {})  --> SequentialLR: milestones expected
S.SequentialLR(o, {s}, {1})  --> SequentialLR: 1 schedulers want one milestone fewer, got 1
S.SequentialLR(o, {s, s}, {"a"})  --> SequentialLR: milestones must be rising integers, got a
S.SequentialLR(o2(), {s}, {})  --> SequentialLR: milestones expected
S.StepLR(o, 1):step("a")  --> StepLR: step: epoch must be an integer, got string
S.StepLR(o, 1):step(1.5)  --> StepLR: step: epoch must be an integer, got 1.5
S.StepLR(o, 1):load_state_dict()  --> StepLR: load_state_dict: what state_dict gave expected
S.StepLR(o, 1):load_state_dict({})  --> StepLR: load_state_dict: what state_dict gave expected
S.StepLR(o, 1):load_state_dict({last_epoch = 1})  --> StepLR: load_state_dict:
S.Scheduler.extend()  --> Scheduler.extend: a name and a table of arguments expected, got nil
gru.text.Corpus.from_file()  --> Corpus: a path expected, got nil
gru.text.Corpus.from_file(1)  --> Corpus: a path expected, got number
gru.text.Corpus.from_file("a", 1)  --> Corpus: options must be a table, got number
gru.text.Corpus.from_file("a", {foo = 1})  --> Corpus: unknown option 'foo'
gru.text.Corpus.from_file("a", {max_chars = 0})  --> Corpus: max_chars must be a positive integer, got 0
gru.text.Corpus.from_file("a", {max_chars = "a"})  --> Corpus: max_chars must be a positive integer, got a
gru.text.Corpus.from_file("a", {tokenizer = "word"})  --> Corpus: tokenizer must be "char", got 'word'
gru.text.Corpus.from_file("a\0b")  --> Corpus: the path holds a NUL
gru.text.Vocab.new()  --> Vocab: a table of characters expected, got nil
gru.text.Vocab.new(1)  --> Vocab: a table of characters expected, got number
gru.text.Vocab.new({1})  --> Vocab: character 1 must be one of UTF-8, got 1
gru.text.Vocab.new({"a", "a"})  --> Vocab: 'a' is there twice, as 1 and 2
V:encode()  --> encode: a string expected, got nil
V:encode(1)  --> encode: a string expected, got number
V:decode()  --> decode: ids expected, got nil
V:decode("a")  --> decode: ids expected, got string
V:decode({9})  --> decode: id 9 is outside 1 .. 2
V:decode({"a"})  --> decode: id a is outside 1 .. 2
V:decode({0})  --> decode: id 0 is outside 1 .. 2
V:decode(x)  --> decode: an int64 tensor of one dim expected, got float32 of 2 dims
V:decode(1.5)  --> decode: ids expected, got number
V:index()  --> index: a character expected, got nil
V:index(1)  --> index: a character expected, got number
V:char()  --> char: an id expected, got nil
V:char("a")  --> char: an id expected, got a
gru.text.random_batches()  --> random_batches: an int64 tensor of one dim expected
gru.text.random_batches(x, 1, 1)  --> random_batches: an int64 tensor of one dim expected
gru.text.random_batches({1, 2}, 1, 1)  --> random_batches: an int64 tensor of one dim expected
gru.text.random_batches(ids, 0, 1)  --> random_batches: batch_size must be a positive integer, got 0
gru.text.random_batches(ids, 1, "a")  --> random_batches: num_steps must be a positive integer, got a
gru.text.random_batches(ids, 1.5, 1)  --> random_batches: batch_size must be a positive integer, got 1.5
gru.text.random_batches(ids, 100, 1)  --> random_batches: 19 characters are too few for batches of 100 x 1
gru.text.random_batches(ids, 1)  --> random_batches: num_steps must be a positive integer, got nil
gru.text.random_batches(ids, 1, 1, "x")()  --> to: device 'x:0'
gru.text.random_batches(ids, 1, 1, 1)()  --> to: a dtype or a device expected, got number
gru.text.consecutive_batches()  --> consecutive_batches: an int64 tensor of one dim expected
gru.text.consecutive_batches(v, 1, 1)  --> consecutive_batches: an int64 tensor of one dim expected
gru.text.consecutive_batches(ids, -1, 1)  --> consecutive_batches: batch_size must be a positive integer,
gru.text.consecutive_batches(ids, 1, 0)  --> consecutive_batches: num_steps must be a positive integer, got
gru.text.consecutive_batches(ids, 100, 1)  --> consecutive_batches: 19 characters are too few for batches
gru.text.consecutive_batches(ids, 1, 1, "x")  --> to: device 'x:0'
gru.text.generate()  --> generate: a module or a function expected as the model, got nil
gru.text.generate(x, V, "a")  --> generate: a module or a function expected as the model, got a tensor
gru.text.generate(print)  --> generate: a vocabulary expected, such as corpus.vocab, got nil
gru.text.generate(print, {"a"}, "a")  --> generate: a vocabulary expected, such as corpus.vocab, got table
gru.text.generate(print, V)  --> generate: prompt: a text of one character or more expected, got nil
gru.text.generate(print, V, "")  --> generate: prompt: a text of one character or more expected, got an empty
gru.text.generate(print, V, 1)  --> generate: prompt: a text of one character or more expected, got number
gru.text.generate(print, V, "aac")  --> generate: prompt: character 3, 'c' (U+0063) is not among the 2 charact
gru.text.generate(print, V, "a", 1)  --> generate: options must be a table, got number
gru.text.generate(print, V, "a", {foo = 1})  --> generate: unknown option 'foo'
gru.text.generate(print, V, "a", {length = -1})  --> generate: length must be an integer from 0 on, or math.hu
gru.text.generate(print, V, "a", {length = 1.5})  --> generate: length must be an integer from 0 on, or math.h
gru.text.generate(print, V, "a", {length = "a"})  --> generate: length must be an integer from 0 on, or math.h
gru.text.generate(print, V, "a", {temperature = -1})  --> generate: temperature must be a number from 0 on, go
gru.text.generate(print, V, "a", {temperature = 1/0})  --> generate: temperature must be a number from 0 on, g
gru.text.generate(print, V, "a", {temperature = 0/0})  --> generate: temperature must be a number from 0 on, g
gru.text.generate(print, V, "a", {temperature = "a"})  --> generate: temperature must be a number from 0 on, g
gru.text.generate(print, V, "a", {temperature = 1, top_k = 0})  --> generate: top_k must be a positive integer
gru.text.generate(print, V, "a", {temperature = 1, top_p = 0})  --> generate: top_p must be a number above 0,
gru.text.generate(print, V, "a", {temperature = 1, top_p = 1.5})  --> generate: top_p must be a number above 0
gru.text.generate(print, V, "a", {temperature = 1, seed = "a"})  --> generate: seed must be an integer, got a
gru.text.generate(print, V, "a", {top_k = 3})  --> generate: top_k wants a temperature above 0
gru.text.generate(print, V, "a", {seed = 3, temperature = 0})  --> generate: seed wants a temperature above 0
gru.text.generate(function() end, V, "a")()  --> generate: the model gave nil for a vocabulary of 2
gru.text.generate(function() return x end, V, "a")()  --> generate: the model gave [2, 3] for a vocabulary of
gru.d2l.load_data_jay_lyrics(1)  --> Corpus: a path expected, got number
gru.d2l.load_data_jay_lyrics("/nonexistent")  --> text: cannot open '/nonexistent': No such file or
gru.d2l.load_data_jay_lyrics(nil, "a")  --> Corpus: max_chars must be a positive integer, got a
gru.d2l.load_data_jay_lyrics(nil, 0)  --> Corpus: max_chars must be a positive integer, got 0
gru.d2l.to_onehot()  --> to_onehot: a tensor expected, got nil
gru.d2l.to_onehot(1, 2)  --> to_onehot: a tensor expected, got number
gru.d2l.to_onehot(x, 2)  --> one_hot: ids must be int64, got float32
gru.d2l.to_onehot(i)  --> bad argument #2 to 'one_hot' (count (an integer) expected, got nothing)
gru.d2l.to_onehot(i*7, 2)  --> one_hot: id 7 at position 1 is outside 1 .. 2
gru.d2l.to_onehot(i, 0)  --> one_hot: expected one class or more of a float dtype, got 0 of float32
gru.d2l.grad_clipping()  --> grad_clipping: a table of parameters expected, got nil
gru.d2l.grad_clipping(1, 1)  --> grad_clipping: a table of parameters expected, got number
gru.d2l.grad_clipping({1}, 1)  --> grad_clipping: a table of parameters expected, element 1 is a number
gru.d2l.grad_clipping({x}, "a")  --> grad_clipping: theta must be a number, got string
gru.d2l.grad_clipping({x})  --> grad_clipping: theta must be a number, got nil
gru.d2l.sgd()  --> sgd: a table of parameters expected, got nil
gru.d2l.sgd({1}, 1, 1)  --> sgd: a table of parameters expected, element 1 is a number
gru.d2l.sgd({x}, "a", 1)  --> sgd: lr must be a number, got string
gru.d2l.sgd({x}, 1)  --> sgd: batch_size must be a number, got nil
gru.d2l.data_iter_random()  --> random_batches: an int64 tensor of one dim expected
gru.d2l.data_iter_consecutive(ids, 0, 1)  --> consecutive_batches: batch_size must be a positive integer,
gru.d2l.RNNModel()  --> RNNModel: a recurrent layer expected, got nil
gru.d2l.RNNModel(1, 2)  --> RNNModel: a recurrent layer expected, got number
gru.d2l.RNNModel(nn.Tanh(), 2)  --> RNNModel: a recurrent layer expected, got Tanh()
gru.d2l.RNNModel(nn.GRU(2, 2))  --> RNNModel: vocab_size must be a positive integer, got nil
gru.d2l.RNNModel(nn.GRU(2, 2), "a")  --> RNNModel: vocab_size must be a positive integer, got a
gru.d2l.RNNModel(nn.GRU(2, 2), 2)()  --> RNNModel: a tensor expected, got nil
gru.d2l.RNNModel(nn.GRU(2, 2), 2)(x)  --> one_hot: ids must be int64, got float32
gru.d2l.RNNModel(nn.GRU(3, 2), 2)(i)  --> GRU: input [3, 2, 2] ends with 2, input_size is 3
gru.d2l.predict_rnn()  --> predict_rnn: prefix must be a string, got nil
gru.d2l.predict_rnn_pytorch()  --> predict_rnn_pytorch: prefix must be a string, got nil
gru.d2l.predict_rnn_pytorch(1, 2, print, 1, "cpu", {"a"}, {a = 1})  --> prefix must be a string, got number
gru.d2l.predict_rnn_pytorch("b", 2, print, 1, "cpu", {"a"}, {a = 1})  --> prefix 'b': the corpus has no 'b'
gru.d2l.print_epoch()  --> print_epoch: e must be a table, got nil
gru.d2l.train_and_predict_rnn()  --> train_and_predict_rnn: rnn must be a function, got nil
gru.d2l.train_and_predict_rnn_pytorch()  --> train_and_predict_rnn_pytorch: model must be a module, got nil
gru.d2l.train_and_predict_rnn_pytorch(gru.d2l.RNNModel(nn.GRU(2, 2), 2), 3)  --> train_and_predict_rnn_pytor
gru.data.TensorDataset()  --> TensorDataset: at least one tensor expected
gru.data.TensorDataset(1)  --> TensorDataset: argument 1 must be a tensor of 1 dim or more
gru.data.TensorDataset(x, v)  --> TensorDataset: tensor 2 has 4 rows, the first one has 2
gru.data.TensorDataset(gru.tensor(1))  --> TensorDataset: argument 1 must be a tensor of 1 dim or more
gru.data.TensorDataset({x})  --> TensorDataset: argument 1 must be a tensor of 1 dim or more
gru.data.DataLoader()  --> DataLoader: a data set expected, got nil
gru.data.DataLoader(1)  --> DataLoader: a data set expected, got number
gru.data.DataLoader("a")  --> DataLoader: a data set expected, got string
gru.data.DataLoader({1}, 1)  --> DataLoader: options must be a table, got number
gru.data.DataLoader({1}, {foo = 1})  --> DataLoader: unknown option 'foo'
gru.data.DataLoader({1}, {batch_size = 0})  --> DataLoader: batch_size must be a positive integer, got 0
gru.data.DataLoader({1}, {batch_size = "a"})  --> DataLoader: batch_size must be a positive integer, got a
gru.data.DataLoader({1}, {seed = "a"})  --> DataLoader: seed must be an integer, got a
gru.data.DataLoader({1}, {shuffle = "a"})  --> DataLoader: shuffle must be true or false, got a
gru.data.DataLoader({1}, {drop_last = 1})  --> DataLoader: drop_last must be true or false, got 1
gru.data.DataLoader({1}):load_state_dict()  --> DataLoader: load_state_dict: the state of a loader without see
gru.data.DataLoader({1}):load_state_dict({stream = 1})  --> DataLoader: load_state_dict: the state of a loader
gru.data.DataLoader({1}, {seed = 1}):load_state_dict({})  --> DataLoader: load_state_dict: the state of a load
gru.data.DataLoader({1}, {seed = 1}):load_state_dict({stream = "a"})  --> DataLoader: load_state_dict: the sta
gru.data.DataLoader({1}, {collate_fn = 1})  --> DataLoader: collate_fn must be a function, got number
gru.train.Trainer()  --> Trainer: a table of options expected, got nil
gru.train.Trainer(nn.Linear(2, 2))  --> Trainer: a table of options expected, got an object
gru.train.Trainer({})  --> Trainer: model expected
gru.train.Trainer({model = 1})  --> Trainer: model must be a module, got 1
gru.train.Trainer({model = nn.Tanh()})  --> Trainer: loss expected
gru.train.Trainer({model = nn.Tanh(), loss = x})  --> Trainer: loss must be a function or a loss module, got a
gru.train.Trainer({foo = 1})  --> Trainer: unknown option 'foo'
gru.train.Trainer({optimizer = {}})  --> Trainer: optimizer must be an optimiser, got table
gru.train.Trainer({data = {}})  --> Trainer: data must be a DataLoader, or a function that returns an iterator
gru.train.Trainer({validation = x})  --> Trainer: validation must be a DataLoader, or a function
gru.train.Trainer({stateful = true})  --> Trainer: stateful must be false, "epoch" or "run", got true
gru.train.Trainer({clip = "a"})  --> Trainer: clip must be a number from 0 on (the norm), {norm = number} or
gru.train.Trainer({clip = -1})  --> Trainer: clip must be a number from 0 on (the norm)
gru.train.Trainer({clip = {norm = 1, value = 2}})  --> Trainer: clip must be a number from 0 on (the norm)
gru.train.Trainer({clip = {}})  --> Trainer: clip must be a number from 0 on (the norm)
gru.train.Trainer({scheduler = o})  --> Trainer: scheduler must be a scheduler, got table
gru.train.Trainer({schedule = "step"})  --> Trainer: schedule must be "epoch" or "batch", got step
gru.train.Trainer({evaluate = 1})  --> Trainer: evaluate must be a function, got 1
gru.train.Trainer({checkpoint = 1})  --> Trainer: checkpoint must be a path, or {path = ...}, got 1
gru.train.Trainer({metadata = V})  --> Trainer: metadata must be a plain table, got table
gru.train.Trainer({on_epoch = "a"})  --> Trainer: on_epoch must be a function, got a
gru.train.Trainer({progress = 1})  --> Trainer: progress must be true or false, got 1
T()  --> Trainer: optimizer expected
T({optimizer = o, data = print, schedule = "batch"})  --> Trainer: schedule wants a scheduler
T({optimizer = o2(), data = print, scheduler = s})  --> Trainer: the scheduler has another optimizer
T({optimizer = o, data = print, metadata = {}})  --> Trainer: metadata want a checkpoint
T({optimizer = o, data = print, scheduler = S.ReduceLROnPlateau(o), schedule = "batch"})  --> Trainer: a sched
T({optimizer = o, data = print, checkpoint = {}})  --> Trainer: checkpoint.path expected
T({optimizer = o, data = print, checkpoint = {path = 1}})  --> Trainer: checkpoint.path must be a string, got
T({optimizer = o, data = print, checkpoint = {foo = 1}})  --> Trainer: unknown option 'foo'
T({optimizer = o, data = print, checkpoint = {path = "a", every = 0}})  --> Trainer: checkpoint.every must be
T({optimizer = o, data = print, checkpoint = {path = "a", best = 1}})  --> Trainer: checkpoint.best must be th
T({optimizer = o, data = print, checkpoint = {path = "a", mode = "min"}})  --> Trainer: checkpoint.mode wants
T({optimizer = o, data = print, checkpoint = {path = "a", best = "a", mode = "low"}})  --> Trainer: checkpoint
T({optimizer = o, data = print}):fit()  --> fit: the number of epochs must be an integer from 0 on, got nil
T({optimizer = o, data = print}):fit(-1)  --> fit: the number of epochs must be an integer from 0 on, got -1
T({optimizer = o, data = print}):fit(1.5)  --> fit: the number of epochs must be an integer from 0 on, got 1.5
T({optimizer = o, data = print}):resume()  --> resume: a path expected, or the option checkpoint; got nil
T({optimizer = o, data = print}):resume(1)  --> resume: a path expected, or the option checkpoint; got number
T({optimizer = o, data = print}):load_state_dict()  --> Trainer: load_state_dict: what state_dict gave expecte
gru.linalg.norm()  --> norm: a tensor expected, got nil
gru.linalg.norm(i)  --> norm: wants floats, got int64
gru.linalg.norm(x, "nuc")  --> matrix_norm: ord must be "fro", 1, -1, math.huge or -math.huge, got nuc
gru.linalg.norm(x, 2)  --> matrix_norm: ord must be "fro", 1, -1, math.huge or -math.huge, got 2
gru.linalg.norm(gru.ones(2, 2, 2), 1)  --> norm: ord wants one dim or two, got 3
gru.linalg.norm(x, {foo = 1})  --> norm: unknown option 'foo'
gru.linalg.norm(x, nil, 3)  --> dim out of range for a tensor of 2 dims
gru.linalg.norm(x, nil, 1, 1)  --> norm: keepdim must be true or false, got 1
gru.linalg.vector_norm(1)  --> vector_norm: a tensor expected, got number
gru.linalg.vector_norm(x, "fro")  --> vector_norm: ord must be a number, got fro
gru.linalg.matrix_norm(v)  --> matrix_norm: a tensor of 2 dims or more and two dims expected, got 1 dims
gru.linalg.matrix_norm(x, 1, 1)  --> matrix_norm: a tensor of 2 dims or more and two dims expected, got 2 dims
gru.linalg.matrix_norm(x, 1, {1, 1})  --> matrix_norm: the dim 1 is there twice
gru.linalg.matrix_norm(x, 1, {1, 3})  --> matrix_norm: dim 3 of a tensor with 2 dims
gru.linalg.vecdot(x)  --> vecdot: y: a tensor expected, got nil
gru.linalg.vecdot(x, v)  --> mul: shapes
gru.linalg.vecdot(x, x, "a")  --> vecdot: dim must be an integer, got a
gru.linalg.matrix_power(x, 2)  --> matrix_power: square matrices expected, got [2, 3]
gru.linalg.matrix_power(gru.eye(2), -1)  --> matrix_power: the power must be an integer from 0 on, got -1
gru.linalg.matrix_power(gru.eye(2), 1.5)  --> matrix_power: the power must be an integer from 0 on, got 1.5
gru.linalg.multi_dot()  --> multi_dot: a table of matrices expected, got nil
gru.linalg.multi_dot({x})  --> multi_dot: two matrices or more expected, got 1
gru.linalg.multi_dot({x, x})  --> multi_dot: matrices 1 and 2 do not fit: [2, 3] x [2, 3]
gru.linalg.multi_dot({x, v, x})  --> multi_dot: matrix 2 has 1 dims
gru.linalg.matmul(x)  --> matmul
x:to("cpu", 1)  --> to: a device and a dtype expected, got cpu and 1
x:to("float64", "float32")  --> to: a device and a dtype expected, got float64 and float32
nn.Linear(2, 2):to("cpu", "int64")  --> to: a device and a float dtype expected, got cpu and int64
nn.Linear(2, 2):to("float64", "cpu")  --> to: a device and a float dtype expected, got float64 and cpu
nn.Module():register_buffer("a", x, {foo = 1})  --> register_buffer: unknown option 'foo'
nn.Module():register_buffer("a", x, false)  --> register_buffer: options must be a table, got boolean
]==]
