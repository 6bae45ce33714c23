--- Calls that must be refused, one a line: `call --> part of the message`.
--
-- gru.nn: layers, losses, initialisation, utilities. What the names stand for is said in `badinput_spec.lua`.
return [==[
nn.Linear()  --> Linear: in_features must be a positive integer, got nil
nn.Linear(2)  --> Linear: out_features must be a positive integer, got nil
nn.Linear("a", 2)  --> Linear: in_features must be a positive integer, got a
nn.Linear(0, 2)  --> Linear: in_features must be a positive integer, got 0
nn.Linear(2, -1)  --> Linear: out_features must be a positive integer, got -1
nn.Linear(2, 1.5)  --> Linear: out_features must be a positive integer, got 1.5
nn.Linear(2, 2, 1)  --> Linear: options must be a table, got number
nn.Linear(2, 2, {foo = 1})  --> Linear: unknown option 'foo'
nn.Linear(2, 2, {dtype = "int64"})  --> Linear: dtype must be float32 or float64, got int64
nn.Linear(2, 2, {dtype = "x"})  --> Linear: unknown dtype 'x'
nn.Linear(2, 2, {device = "x"})  --> Linear: device 'x:0'
nn.Linear(2, 2, {bias = 1})  --> Linear: bias must be true or false, got 1
nn.Linear{in_features = 2}  --> Linear: out_features must be a positive integer, got nil
nn.Linear(2, 2)()  --> linear: a tensor expected, got nil
nn.Linear(2, 2)("a")  --> linear: a tensor expected, got string
nn.Linear(2, 2)(x)  --> linear: [2, 3] does not fit weight (out, in) [2, 2] and bias (out) [2]
nn.Linear(3, 2)(gru.tensor(1.0))  --> linear: [] does not fit weight (out, in) [2, 3] and bias (out) [2]
nn.Embedding()  --> Embedding: num_embeddings must be a positive integer, got nil
nn.Embedding(2)  --> Embedding: embedding_dim must be a positive integer, got nil
nn.Embedding(0, 2)  --> Embedding: num_embeddings must be a positive integer, got 0
nn.Embedding(2, "a")  --> Embedding: embedding_dim must be a positive integer, got a
nn.Embedding(2, 2, 1)  --> Embedding: options must be a table, got number
nn.Embedding(2, 2, {foo = 1})  --> Embedding: unknown option 'foo'
nn.Embedding(2, 2, {padding_idx = 3})  --> Embedding: padding_idx must be in 1 .. 2, or negative from the
nn.Embedding(2, 2, {padding_idx = "a"})  --> Embedding: padding_idx must be in 1 .. 2, or negative from the
nn.Embedding(2, 2, {padding_idx = 0})  --> Embedding: padding_idx must be in 1 .. 2, or negative from the
nn.Embedding(2, 2, {dtype = "int64"})  --> Embedding: dtype must be float32 or float64, got int64
nn.Embedding(2, 2, {weight = 1})  --> Embedding: weight must be a tensor [2, 2], got number
nn.Embedding(2, 2, {weight = x})  --> Embedding: weight must be a tensor [2, 2], got [2, 3]
nn.Embedding.from_pretrained()  --> Embedding.from_pretrained: a tensor of 2 dims expected, got nil
nn.Embedding.from_pretrained(v)  --> Embedding.from_pretrained: a tensor of 2 dims expected, got 1 dims
nn.Embedding.from_pretrained(x, {foo = 1})  --> Embedding.from_pretrained: unknown option 'foo'
nn.Embedding.from_pretrained(x, 1)  --> Embedding.from_pretrained: options must be a table, got number
nn.Embedding.from_pretrained(x, {padding_idx = 5})  --> Embedding: padding_idx must be in 1 .. 2, or
nn.Embedding.from_pretrained(i)  --> Embedding.from_pretrained: wants floats, got int64
nn.Embedding(2, 2)()  --> embedding: ids: a tensor expected, got nil
nn.Embedding(2, 2)(1)  --> embedding: ids: a tensor expected, got number
nn.Embedding(2, 2)(x)  --> embedding: ids must be int64, got float32
nn.Embedding(2, 2)(i*3)  --> embedding: id 3 at position 1 is outside 1 .. 2
nn.Embedding(2, 2)(i*0)  --> embedding: id 0 at position 1 is outside 1 .. 2
nn.LayerNorm()  --> LayerNorm: normalized_shape must name a size
nn.LayerNorm("a")  --> LayerNorm: normalized_shape must be positive integers, got a
nn.LayerNorm(0)  --> LayerNorm: normalized_shape must be positive integers, got 0
nn.LayerNorm({})  --> LayerNorm: normalized_shape must name a size
nn.LayerNorm({2, "a"})  --> LayerNorm: normalized_shape must be positive integers, got a
nn.LayerNorm(2, 1)  --> LayerNorm: options must be a table, got number
nn.LayerNorm(2, {foo = 1})  --> LayerNorm: unknown option 'foo'
nn.LayerNorm(2, {eps = "a"})  --> LayerNorm: eps must be a number from 0 on, got a
nn.LayerNorm(2, {eps = -1})  --> LayerNorm: eps must be a number from 0 on, got -1
nn.LayerNorm(2, {dtype = "x"})  --> LayerNorm: unknown dtype 'x'
nn.LayerNorm(2)(x)  --> layer_norm: input [2, 3] does not end with normalized_shape [2]
nn.LayerNorm(3)(i)  --> mean: wants floats, got int64
nn.LayerNorm(3)()  --> layer_norm: a tensor expected, got nil
nn.LayerNorm({2, 3})(v)  --> layer_norm: input [4] does not end with normalized_shape [2, 3]
nn.LayerNorm({2, 2, 3})(x)  --> layer_norm: input [2, 3] does not end with normalized_shape [2, 2, 3]
nn.GRU()  --> GRU: input_size must be a positive integer, got nil
nn.GRU(2)  --> GRU: hidden_size must be a positive integer, got nil
nn.GRU("a", 2)  --> GRU: input_size must be a positive integer, got a
nn.GRU(0, 2)  --> GRU: input_size must be a positive integer, got 0
nn.GRU(2, 1.5)  --> GRU: hidden_size must be a positive integer, got 1.5
nn.GRU(2, 2, 1)  --> GRU: options must be a table, got number
nn.GRU(2, 2, {foo = 1})  --> GRU: unknown option 'foo'
nn.GRU(2, 2, {num_layers = 0})  --> GRU: num_layers must be a positive integer, got 0
nn.GRU(2, 2, {num_layers = "a"})  --> GRU: num_layers must be a positive integer, got a
nn.GRU(2, 2, {dropout = 2})  --> GRU: dropout must be in 0 .. 1, got 2
nn.GRU(2, 2, {dropout = "a"})  --> GRU: dropout must be in 0 .. 1, got a
nn.GRU(2, 2, {reset = "x"})  --> GRU: reset must be "after" or "before", got x
nn.GRU(2, 2, {bias = "a"})  --> GRU: bias must be true or false, got a
nn.GRU(2, 2, {batch_first = 1})  --> GRU: batch_first must be true or false, got 1
nn.GRU(2, 2, {bidirectional = "a"})  --> GRU: bidirectional must be true or false, got a
nn.GRU(2, 2, {dtype = "int64"})  --> GRU: dtype must be float32 or float64, got int64
nn.GRU(2, 2, {dtype = "x"})  --> GRU: unknown dtype 'x'
nn.GRU(2, 2, {device = "x"})  --> GRU: device 'x:0'
nn.GRU(2, 2)()  --> GRU: an input tensor expected, got nil
nn.GRU(2, 2)(1)  --> GRU: an input tensor expected, got number
nn.GRU(2, 2)(x)  --> GRU: input [2, 3] ends with 3, input_size is 2
nn.GRU(3, 2)(v)  --> GRU: input must have 2 or 3 dims, got [4]
nn.GRU(3, 2)(x, 1)  --> GRU: h_0 must be a tensor, got number
nn.GRU(3, 2)(x, gru.ones(1, 1, 2))  --> GRU: h_0 must be [1, 2] for an input without a batch, got [1, 1, 2]
nn.GRU(3, 2)(x, gru.ones(2, 2))  --> GRU: h_0 must be [1, 1, 2], got [2, 1, 2]
nn.GRU(3, 2)(gru.ones(2, 4, 3), gru.ones(1, 3, 2))  --> GRU: h_0 must be [1, 4, 2], got [1, 3, 2]
nn.GRU(3, 2)(gru.ones(2, 4, 3), {lengths = {1}})  --> GRU: lengths must name 4 rows, got 1
nn.GRU(3, 2)(gru.ones(2, 4, 3), {lengths = {1, 2, 3, 1}})  --> GRU: lengths[3] must be in 1 .. 2, got 3
nn.GRU(3, 2)(gru.ones(2, 4, 3), {lengths = {1, 2, 0, 1}})  --> GRU: lengths[3] must be in 1 .. 2, got 0
nn.GRU(3, 2)(gru.ones(2, 4, 3), {lengths = {1, 2, "a", 1}})  --> GRU: lengths[3] must be in 1 .. 2, got a
nn.GRU(3, 2)(gru.ones(2, 4, 3), {lengths = 1})  --> GRU: lengths must name 4 rows, got number
nn.GRU(3, 2)(gru.ones(2, 4, 3), {foo = 1})  --> GRU: unknown option 'foo'
nn.GRU(3, 2)(gru.ones(2, 4, 3), nil, 1)  --> GRU: options must be a table such as {lengths = {...}}, got
nn.GRU(3, 2)(gru.ones(0, 4, 3))  --> GRU: a sequence of no steps
nn.GRU(3, 2)(gru.ones(2, 4, 3, 1))  --> GRU: input must have 2 or 3 dims, got [2, 4, 3, 1]
nn.LSTM(2)  --> LSTM: hidden_size must be a positive integer, got nil
nn.LSTM(2, 2, {proj_size = 1})  --> LSTM: unknown option 'proj_size'
nn.LSTM(3, 2)(x, gru.ones(1, 2))  --> LSTM: the state must be a pair {h_0, c_0} of tensors, got one tensor
nn.LSTM(3, 2)(x, {gru.ones(1, 2)})  --> LSTM: the state must be a pair {h_0, c_0} of tensors, got table
nn.LSTM(3, 2)(x, {1, 2})  --> LSTM: the state must be a pair {h_0, c_0} of tensors, got table
nn.LSTM(3, 2)(x, {gru.ones(1, 2), gru.ones(1, 3)})  --> LSTM: c_0 must be [1, 1, 2], got [1, 1, 3]
nn.LSTM(3, 2)(x, {h = 1})  --> LSTM: unknown option 'h'
nn.RNN(2, 2, {nonlinearity = "x"})  --> RNN: nonlinearity must be "tanh" or "relu", got x
nn.RNN(2, 2, {nonlinearity = 1})  --> RNN: nonlinearity must be "tanh" or "relu", got 1
nn.GRUCell()  --> GRUCell: input_size must be a positive integer, got nil
nn.GRUCell(2)  --> GRUCell: hidden_size must be a positive integer, got nil
nn.GRUCell(2, 0)  --> GRUCell: hidden_size must be a positive integer, got 0
nn.GRUCell(2, 2, 1)  --> GRUCell: options must be a table, got number
nn.GRUCell(2, 2, {foo = 1})  --> GRUCell: unknown option 'foo'
nn.GRUCell(2, 2, {reset = "a"})  --> GRUCell: reset must be "after" or "before", got a
nn.GRUCell(2, 2, {dtype = "x"})  --> GRUCell: unknown dtype 'x'
nn.GRUCell(2, 2, {num_layers = 2})  --> GRUCell: unknown option 'num_layers'
nn.GRUCell(3, 2)()  --> GRUCell: an input tensor expected, got nil
nn.GRUCell(3, 2)(gru.ones(2, 2, 3))  --> GRUCell: input must have 1 or 2 dims, got [2, 2, 3]
nn.GRUCell(2, 2)(x)  --> GRUCell: input [2, 3] ends with 3, input_size is 2
nn.GRUCell(3, 2)(x, 1)  --> GRUCell: h must be a tensor, got number
nn.GRUCell(3, 2)(x, x)  --> GRUCell: h must be [2, 2], got [2, 3]
nn.LSTMCell(3, 2)(x, x)  --> LSTMCell: the state must be a pair {h, c}, got one tensor
nn.LSTMCell(3, 2)(x, {x})  --> LSTMCell: the state must be a pair {h, c}, got table
nn.LSTMCell(3, 2)(x, {1, 2})  --> LSTMCell: h must be a tensor, got number
nn.LSTMCell(3, 2)(x, {gru.ones(2, 2), 2})  --> LSTMCell: c must be a tensor, got number
nn.RNNCell(2, 2, {nonlinearity = "x"})  --> RNNCell: nonlinearity must be "tanh" or "relu", got x
nn.RNNCell(2)  --> RNNCell: hidden_size must be a positive integer, got nil
nn.Dropout("a")  --> Dropout: p must be in 0 .. 1, got a
nn.Dropout(-1)  --> Dropout: p must be in 0 .. 1, got -1
nn.Dropout(2)  --> Dropout: p must be in 0 .. 1, got 2
nn.Dropout(0/0)  --> Dropout: p must be in 0 .. 1, got
nn.Dropout{q = 1}  --> Dropout: unknown option 'q'
nn.Dropout(0.5)()  --> dropout: a tensor expected, got nil
nn.Dropout(0.5)("a")  --> dropout: a tensor expected, got string
nn.Dropout(0.5)(i)  --> dropout: wants floats, got int64
nn.Flatten("a")  --> Flatten: start_dim must be a dim, from 1 or from -1 on, got a
nn.Flatten(1, "a")  --> Flatten: end_dim must be a dim, from 1 or from -1 on, got a
nn.Flatten{foo = 1}  --> Flatten: unknown option 'foo'
nn.Flatten()(v)  --> flatten: dim 2 of a tensor with 1 dims
nn.Flatten()("a")  --> flatten: a tensor expected, got string
nn.Flatten(0)(x)  --> Flatten: start_dim must be a dim, from 1 or from -1 on, got 0
nn.Sequential(1)  --> Sequential: a module expected, got number
nn.Sequential("a")  --> Sequential: a module expected, got string
nn.Sequential{1}  --> Sequential: a module expected, got number
nn.Sequential{{"a", 1}}  --> Sequential: a module expected, got number
nn.Sequential(nn.Tanh, nn.Tanh)  --> Sequential: a module expected, got nil
nn.Sequential(nn.Tanh())()  --> bad argument #1 to 'tanh' (tensor or number expected, got nothing)
nn.Sequential(nn.Linear(2, 2))(x)  --> linear: [2, 3] does not fit weight (out, in) [2, 2] and bias (out) [2]
nn.Sequential():append(1)  --> Sequential: a module expected, got number
nn.Sequential():insert(3, nn.Tanh())  --> Sequential: insert at 3: positions are 1 .. 1
nn.Sequential():insert("a", nn.Tanh())  --> Sequential: insert at a: positions are 1 .. 1
nn.Sequential():insert(1, 1)  --> Sequential: a module expected, got number
nn.Sequential():extend_with(1)  --> Sequential: extend_with: a table of modules expected, got number
nn.Sequential():extend_with({1})  --> Sequential: a module expected, got number
nn.ModuleList(1)  --> ModuleList: a module expected, got number
nn.ModuleList{nn.Tanh(), 1}  --> ModuleList: a module expected, got number
nn.ModuleList{}:append("a")  --> ModuleList: a module expected, got string
nn.ModuleList{nn.Tanh()}()  --> ModuleList: the class defines no forward
(function() local m = nn.ModuleList{nn.Tanh()} m[1] = 3 end)()  --> ModuleList: [1] = number: a module
(function() local m = nn.ModuleList{nn.Tanh()} m[2] = nn.Tanh() end)()  --> ModuleList: [2] = table: a
nn.Sigmoid(1)  --> Sigmoid: 1 arguments, at most 0 expected
nn.Tanh("a")  --> Tanh: 1 arguments, at most 0 expected
nn.ReLU(1)  --> ReLU: 1 arguments, at most 0 expected
nn.GELU(1)  --> GELU: approximate must be a string, got 1
nn.GELU("x")(x)  --> gelu: approximate must be "none" or "tanh", got x
nn.GELU{foo = 1}  --> GELU: unknown option 'foo'
nn.Softplus("a")  --> Softplus: beta must be a number, got a
nn.Softplus(1, 2, 3)  --> Softplus: 3 arguments, at most 2 expected
nn.LeakyReLU("a")  --> LeakyReLU: negative_slope must be a number, got a
nn.ELU("a")  --> ELU: alpha must be a number, got a
nn.ELU(1, 2)  --> ELU: 2 arguments, at most 1 expected
nn.ELU{beta = 1}  --> ELU: unknown option 'beta'
nn.Softmax()  --> Softmax: dim must be a number, got nil
nn.Softmax("a")  --> Softmax: dim must be a number, got a
nn.Softmax(1.5)(x)  --> bad argument #2 to 'softmax' (dim (an integer) expected, got number)
nn.Softmax(0)(x)  --> bad argument #2 to 'softmax' (dim counts from 1, or from -1 backwards, got 0)
nn.Softmax(4)(x)  --> softmax: dim out of range for a tensor of 2 dims: position 4
nn.Softmax(1)(i)  --> softmax: wants floats, got int64
nn.LogSoftmax()  --> LogSoftmax: dim must be a number, got nil
nn.LogSoftmax(3)(x)  --> log_softmax: dim out of range for a tensor of 2 dims: position 3
nn.Tanh()()  --> bad argument #1 to 'tanh' (tensor or number expected, got nothing)
nn.Tanh()("a")  --> bad argument #1 to 'tanh' (tensor or number expected, got string)
nn.CrossEntropyLoss(1)  --> CrossEntropyLoss: options must be a table, got number
nn.CrossEntropyLoss{foo = 1}  --> CrossEntropyLoss: unknown option 'foo'
nn.CrossEntropyLoss{reduction = "a"}  --> CrossEntropyLoss: reduction must be mean, sum or none, got 'a'
nn.CrossEntropyLoss{weight = 1}  --> CrossEntropyLoss: weight must be a tensor, got number
nn.CrossEntropyLoss{ignore_index = "a"}(x, gru.tensor({1, 1}))  --> cross_entropy: ignore_index must be an
nn.CrossEntropyLoss{label_smoothing = 2}(x, gru.tensor({1, 1}))  --> cross_entropy: label_smoothing must be
nn.CrossEntropyLoss()()  --> cross_entropy: an input and a target tensor expected
nn.CrossEntropyLoss()(x)  --> cross_entropy: an input and a target tensor expected
nn.CrossEntropyLoss()(x, v)  --> cross_entropy: input [2, 3] wants class ids [2], got [4]
nn.CrossEntropyLoss()(x, gru.tensor({1, 4}))  --> cross_entropy: id 4 at position 2 is outside 1 .. 3
nn.CrossEntropyLoss()(x, gru.tensor({1, 0}))  --> cross_entropy: id 0 at position 2 is outside 1 .. 3
nn.CrossEntropyLoss()(i, gru.tensor({1, 1}))  --> cross_entropy: wants float scores and int64 class ids,
nn.CrossEntropyLoss{weight = v}(x, gru.tensor({1, 1}))  --> cross_entropy: class weights must be float32
nn.NLLLoss{reduction = 1}  --> NLLLoss: reduction must be mean, sum or none, got '1'
nn.NLLLoss()(x, x)  --> nll_loss: target must be int64 class ids, got float32
nn.NLLLoss()(x, gru.tensor({1, 4}))  --> nll_loss: id 4 at position 2 is outside 1 .. 3
nn.MSELoss(1)  --> MSELoss: options must be a table, got number
nn.MSELoss()(x)  --> mse_loss: an input and a target tensor expected
nn.MSELoss()(x, v)  --> sub: shapes do not broadcast: [2, 3] and [4]
nn.MSELoss()(x, 1)  --> mse_loss: target must be a tensor, got number
nn.L1Loss()(1, x)  --> l1_loss: input must be a tensor, got number
nn.SmoothL1Loss{beta = -1}(x, x)  --> smooth_l1_loss: beta must not be negative, got -1
nn.HuberLoss{delta = 0}(x, x)  --> huber_loss: delta must be positive, got 0
nn.BCELoss()(x:cpu()*2, x:cpu())  --> binary_cross_entropy: input must be probabilities in 0 .. 1
nn.BCELoss()(x, v)  --> binary_cross_entropy: input [2, 3] and target [4] must have the same shape
nn.BCELoss{weight = 1}  --> BCELoss: weight must be a tensor, got number
nn.BCEWithLogitsLoss()(x, v)  --> binary_cross_entropy_with_logits: input [2, 3] and target [4] must have
nn.BCEWithLogitsLoss{pos_weight = v}(x, x)  --> mul: shapes do not broadcast: [4] and [2, 3]
nn.KLDivLoss{reduction = "x"}  --> KLDivLoss: reduction must be mean, sum or none, got 'x'
nn.KLDivLoss()(x, v)  --> mul: shapes do not broadcast: [4] and [2, 3]
nn.MSELoss{reduction = "batchmean"}  --> MSELoss: reduction must be mean, sum or none, got 'batchmean'
nn.Parameter()  --> Parameter: a tensor expected, got nil
nn.Parameter(1)  --> Parameter: a tensor expected, got number
nn.Parameter(i)  --> requires_grad: only float tensors have gradients, this is int64
nn.Parameter(x, 1)  --> Parameter: requires_grad must be true or false, got 1
nn.Module:extend()  --> extend: a name expected, got nil
nn.Module:extend(1)  --> extend: a name expected, got number
nn.Module:extend("A")()()  --> A: the class defines no forward
nn.Module():forward()  --> Module: the class defines no forward
nn.Module():register_buffer()  --> register_buffer: a name expected, got nil
nn.Module():register_buffer("a", 1)  --> register_buffer: a tensor or nil expected, got number
nn.Module():register_buffer(1, x)  --> register_buffer: a name expected, got number
nn.Module():register_buffer("training", x)  --> register_buffer: there is a field 'training' already
nn.Module():register_parameter("a", x)  --> register_parameter: a Parameter or nil expected, got a plain
nn.Module():register_parameter("a", 1)  --> register_parameter: a Parameter or nil expected, got a number
nn.Module():register_parameter(nil, nn.Parameter(gru.ones(2)))  --> register_parameter: a name expected,
nn.Linear(2, 2):to()  --> to: a device or a float dtype expected, got nil
nn.Linear(2, 2):to(1)  --> to: a device or a float dtype expected, got number
nn.Linear(2, 2):to("x")  --> to: device 'x:0'
nn.Linear(2, 2):to("int64")  --> to: a device or a float dtype expected, got int64
nn.Linear(2, 2):to("cuda:9")  --> to: device 'cuda:9'
nn.Linear(2, 2):cuda("a")  --> to: device 'cuda:a': expected a name such as "cpu" or "cuda:0"
nn.Linear(2, 2):cuda(99)  --> to: device 'cuda:99'
nn.Linear(2, 2):load_state_dict()  --> load_state_dict: a table of tensors expected, got nil
nn.Linear(2, 2):load_state_dict(1)  --> load_state_dict: a table of tensors expected, got number
nn.Linear(2, 2):load_state_dict({})  --> Linear: load_state_dict:
nn.Linear(2, 2):load_state_dict({weight = x, bias = x})  --> Linear: load_state_dict:
nn.Linear(2, 2):load_state_dict({weight = 1, bias = x, foo = x})  --> Linear: load_state_dict:
nn.Linear(2, 2):load_state_dict({}, 1)  --> load_state_dict: options must be a table, got number
nn.Linear(2, 2):load_state_dict({}, {stric = false})  --> load_state_dict: unknown option 'stric'
nn.Linear(2, 2):apply()  --> apply: a function expected, got nil
nn.Linear(2, 2):apply(1)  --> apply: a function expected, got number
nn.Linear(2, 2):train("a")  --> train: true or false expected, got string
nn.Linear(2, 2):requires_grad_("a")  --> requires_grad_: true or false expected, got string
(function() local m = nn.Linear(2, 2) m.weight = 1 end)()  --> Linear: the field 'weight' takes a Parameter
(function() local m = nn.Linear(2, 2) m.weight = x end)()  --> Linear: the field 'weight' takes a Parameter
(function() local m = nn.Sequential(nn.Tanh()) m[1] = x end)()  --> Sequential: [1] = userdata: a module
F.leaky_relu()  --> leaky_relu: a tensor expected, got nil
F.leaky_relu(x, "a")  --> leaky_relu: negative_slope must be a number, got a
F.leaky_relu(x, {foo = 1})  --> leaky_relu: unknown option 'foo'
F.elu(1)  --> elu: a tensor expected, got number
F.elu(x, "a")  --> elu: alpha must be a number, got a
F.gelu()  --> gelu: a tensor expected, got nil
F.gelu(x, "tanh")  --> gelu: options must be a table, got string
F.gelu(x, {approximate = "x"})  --> gelu: approximate must be "none" or "tanh", got x
F.gelu(i)  --> gelu: wants floats, got int64
F.softplus()  --> softplus: a tensor expected, got nil
F.softplus(x, "a")  --> softplus: options must be a table, got string
F.softplus(x, {foo = 1})  --> softplus: unknown option 'foo'
F.softplus(x, {beta = "a"})  --> softplus: beta must be a number, got string
F.logsigmoid()  --> logsigmoid: a tensor expected, got nil
F.logsigmoid("a")  --> logsigmoid: a tensor expected, got string
F.linear()  --> linear: a tensor expected, got nil
F.linear(x)  --> linear: weight: a tensor expected, got nil
F.linear(x, 1)  --> linear: weight: a tensor expected, got number
F.linear(x, gru.ones(2, 4))  --> matmul: inner sizes differ: [2, 3] x [4, 2]
F.linear(x, x, gru.ones(3))  --> linear: [2, 3] does not fit weight (out, in) [2, 3] and bias (out) [3]
F.linear(x, x, 1)  --> linear: bias: a tensor expected, got number
F.linear(x, v)  --> matmul: inner sizes differ: [2, 3] x [4]
F.embedding()  --> embedding: ids: a tensor expected, got nil
F.embedding(i)  --> embedding: weight: a tensor expected, got nil
F.embedding(x, x)  --> embedding: ids must be int64, got float32
F.embedding(i, v)  --> embedding: weight must be (V, E), got [4] with ids [2, 3]
F.embedding(i, x, "a")  --> embedding: padding_idx must be in 1 .. 2, or negative from the end, got a
F.embedding(i, x, 7)  --> embedding: padding_idx must be in 1 .. 2, or negative from the end, got 7
F.embedding(1, x)  --> embedding: ids: a tensor expected, got number
F.dropout()  --> dropout: a tensor expected, got nil
F.dropout(x, 2)  --> dropout: p must be in 0 .. 1, got 2
F.dropout(x, "a")  --> dropout: p must be in 0 .. 1, got a
F.dropout(x, 0.5, 1)  --> dropout: training must be true or false, got 1
F.dropout(i, 0.5)  --> dropout: wants floats, got int64
F.dropout("a")  --> dropout: a tensor expected, got string
F.layer_norm()  --> layer_norm: a tensor expected, got nil
F.layer_norm(x)  --> layer_norm: input [2, 3] does not end with normalized_shape []
F.layer_norm(x, 4)  --> layer_norm: input [2, 3] does not end with normalized_shape [4]
F.layer_norm(x, {})  --> layer_norm: input [2, 3] does not end with normalized_shape []
F.layer_norm(x, {3}, v)  --> layer_norm: weight must be [3], got [4]
F.layer_norm(x, {3}, nil, v)  --> layer_norm: bias must be [3], got [4]
F.layer_norm(x, {3}, 1)  --> layer_norm: weight: a tensor expected, got number
F.layer_norm(x, {3}, nil, nil, "a")  --> layer_norm: eps must be a number, got string
F.layer_norm(i, {3})  --> mean: wants floats, got int64
F.softmax(x)  --> bad argument #2 to 'softmax' (dim (an integer) expected, got nothing)
F.softmax(x, 5)  --> softmax: dim out of range for a tensor of 2 dims: position 5
F.log_softmax("a", 1)  --> bad argument #1 to 'log_softmax' (tensor expected, got string)
F.one_hot()  --> one_hot: a tensor expected, got nil
F.one_hot(x)  --> bad argument #2 to 'one_hot' (count (an integer) expected, got number)
F.one_hot(i, 0)  --> one_hot: expected one class or more of a float dtype, got 0 of float32
F.pad()  --> pad: a tensor expected, got nil
F.pad(x)  --> pad: widths must be {left, right, ...}, for at most 2 dims
F.pad(x, 1)  --> pad: widths must be {left, right, ...}, for at most 2 dims
F.pad(x, {1})  --> pad: widths must be {left, right, ...}, for at most 2 dims
F.pad(x, {1, "a"})  --> pad: width 2 must be an integer, got a
F.pad(x, {1, 1.5})  --> pad: width 2 must be an integer, got 1.5
F.pad(x, {1, 1, 1, 1, 1, 1})  --> pad: widths must be {left, right, ...}, for at most 2 dims
F.pad(x, {-4, 0})  --> pad: {-4, 0} leaves less than nothing of size 3
F.pad(x, {1, 1}, "reflect")  --> pad: mode must be "constant", got reflect
F.pad(x, {1, 1}, "constant", "a")  --> pad: value must be a number, got string
F.pad(x, {1, 1}, {foo = 1})  --> pad: unknown option 'foo'
F.mse_loss()  --> mse_loss: an input and a target tensor expected
F.mse_loss(x)  --> mse_loss: an input and a target tensor expected
F.mse_loss(x, 1)  --> mse_loss: target must be a tensor, got number
F.mse_loss(x, v)  --> sub: shapes do not broadcast: [2, 3] and [4]
F.mse_loss(x, x, 1)  --> mse_loss: options must be a table, got number
F.mse_loss(x, x, {reduction = "x"})  --> mse_loss: reduction must be mean, sum or none, got 'x'
F.mse_loss(x, x, {foo = 1})  --> mse_loss: unknown option 'foo'
F.l1_loss(x, x, {reduction = 1})  --> l1_loss: reduction must be mean, sum or none, got '1'
F.smooth_l1_loss(x, x, {beta = "a"})  --> smooth_l1_loss: beta must not be negative, got a
F.huber_loss(x, x, {delta = -1})  --> huber_loss: delta must be positive, got -1
F.binary_cross_entropy(x, x, {weight = "a"})  --> binary_cross_entropy: weight must be a tensor, got string
F.binary_cross_entropy_with_logits(x, x, {pos_weight = "a"})  --> binary_cross_entropy_with_logits:
F.kl_div(x, x, {log_target = 1})  --> kl_div: log_target must be true or false, got 1
F.kl_div(x, 1)  --> kl_div: target must be a tensor, got number
F.cross_entropy()  --> cross_entropy: an input and a target tensor expected
F.cross_entropy(x, i)  --> cross_entropy: input [2, 3] wants class ids [2], got [2, 3]
F.cross_entropy(x, gru.tensor({1, 1}), {weight = 1})  --> cross_entropy: weight must be a tensor, got number
F.cross_entropy(x, gru.tensor({1, 1}), {weight = v})  --> cross_entropy: class weights must be float32 [3],
F.cross_entropy(x, gru.tensor({1, 1}), {ignore_index = 1.5})  --> cross_entropy: ignore_index must be an
F.cross_entropy(x, gru.tensor({1, 1}), {label_smoothing = "a"})  --> cross_entropy: label_smoothing must be
F.cross_entropy(gru.tensor(1.0), gru.tensor(1))  --> cross_entropy: input [] wants class ids [], got []
F.cross_entropy(x, x, {weight = 1})  --> cross_entropy: weight must be a tensor, got number
F.nll_loss(x, gru.tensor({1, 1}), {weight = 1})  --> nll_loss: weight must be a tensor, got number
F.nll_loss(x, gru.tensor({1, 1}), {weight = v})  --> nll_loss: weight must be [3], got [4]
F.nll_loss(x, gru.tensor({1, 1, 1}))  --> nll_loss: input [2, 3] wants class ids [2], got [3]
F.relu()  --> bad argument #1 to 'relu' (tensor or number expected, got nothing)
F.relu("a")  --> bad argument #1 to 'relu' (tensor or number expected, got string)
nn.init.constant_()  --> constant_: a tensor expected, got nil
nn.init.constant_(x)  --> constant_: value must be a number, got nil
nn.init.constant_(x, "a")  --> constant_: value must be a number, got string
nn.init.zeros_(1)  --> zeros_: a tensor expected, got number
nn.init.ones_()  --> ones_: a tensor expected, got nil
nn.init.eye_(v)  --> eye_: wants 2 dims, got [4]
nn.init.eye_(1)  --> eye_: a tensor expected, got number
nn.init.uniform_(x, "a")  --> uniform_: a must be a number, got string
nn.init.uniform_(x, 1, 0)  --> uniform_: no numbers from 1 to 0
nn.init.uniform_(x, {foo = 1})  --> uniform_: unknown option 'foo'
nn.init.normal_(x, 0, -1)  --> normal_: std must not be negative, got -1
nn.init.normal_(x, "a")  --> normal_: mean must be a number, got string
nn.init.normal_(i)  --> normal_: wants a float tensor, got int64
nn.init.trunc_normal_(x, 0, -1)  --> trunc_normal_: wants std > 0 and a < b, got std -1, a -2, b 2
nn.init.trunc_normal_(x, "a")  --> trunc_normal_: mean must be a number, got string
nn.init.trunc_normal_(x, 0, 1, 2, 1)  --> trunc_normal_: wants std > 0 and a < b, got std 1, a 2, b 1
nn.init.xavier_uniform_(v)  --> xavier_uniform_: fans want a tensor of 2 dims or more, got [4]
nn.init.xavier_uniform_(x, "a")  --> xavier_uniform_: gain must be a number, got string
nn.init.xavier_normal_(v)  --> xavier_normal_: fans want a tensor of 2 dims or more, got [4]
nn.init.xavier_normal_(x, {foo = 1})  --> xavier_normal_: unknown option 'foo'
nn.init.kaiming_uniform_(v)  --> kaiming_uniform_: fans want a tensor of 2 dims or more, got [4]
nn.init.kaiming_uniform_(x, {mode = "a"})  --> kaiming_uniform_: mode must be "fan_in" or "fan_out", got a
nn.init.kaiming_uniform_(x, {nonlinearity = "a"})  --> calculate_gain: unknown nonlinearity 'a'
nn.init.kaiming_normal_(x, "a")  --> kaiming_normal_: a must be a number, got string
nn.init.kaiming_normal_(1)  --> kaiming_normal_: a tensor expected, got number
nn.init.orthogonal_(v)  --> orthogonal_: wants 2 dims or more, got [4]
nn.init.orthogonal_(x, "a")  --> orthogonal_: gain must be a number, got string
nn.init.orthogonal_(i)  --> normal_: wants a float tensor, got int64
nn.init.calculate_gain()  --> calculate_gain: unknown nonlinearity 'nil'
nn.init.calculate_gain("x")  --> calculate_gain: unknown nonlinearity 'x'
nn.init.calculate_gain("leaky_relu", "a")  --> calculate_gain: param must be a number, got string
nn.utils.clip_grad_norm_()  --> clip_grad_norm_: a table of parameters expected, got nil
nn.utils.clip_grad_norm_(1, 1)  --> clip_grad_norm_: a table of parameters expected, got number
nn.utils.clip_grad_norm_({1}, 1)  --> clip_grad_norm_: parameter 1 is a number, not a tensor
nn.utils.clip_grad_norm_({x})  --> clip_grad_norm_: max_norm must be a number, got nil
nn.utils.clip_grad_norm_({x}, "a")  --> clip_grad_norm_: max_norm must be a number, got string
nn.utils.clip_grad_norm_({x}, 1, 1)  --> clip_grad_norm_: options must be a table, got number
nn.utils.clip_grad_norm_({x}, 1, {foo = 1})  --> clip_grad_norm_: unknown option 'foo'
nn.utils.clip_grad_norm_({x}, 1, {norm_type = "a"})  --> clip_grad_norm_: norm_type must be a number, got
nn.utils.clip_grad_norm_({x}, -1)  --> clip_grad_norm_: max_norm must not be negative, got -1
nn.utils.clip_grad_value_()  --> clip_grad_value_: a table of parameters expected, got nil
nn.utils.clip_grad_value_({x})  --> clip_grad_value_: limit must be a number, got nil
nn.utils.clip_grad_value_({1}, 1)  --> clip_grad_value_: parameter 1 is a number, not a tensor
nn.utils.clip_grad_value_({x}, "a")  --> clip_grad_value_: limit must be a number, got string
nn.utils.clip_grad_value_({x}, -1)  --> clip_grad_value_: limit must not be negative, got -1
nn.utils.parameters_to_vector()  --> parameters_to_vector: a table of parameters expected, got nil
nn.utils.parameters_to_vector({})  --> parameters_to_vector: no parameters
nn.utils.parameters_to_vector({1})  --> parameters_to_vector: a table of parameters expected, element 1 is
nn.utils.vector_to_parameters()  --> vector_to_parameters: a tensor of 1 dim expected
nn.utils.vector_to_parameters(x, {x})  --> vector_to_parameters: a tensor of 1 dim expected
nn.utils.vector_to_parameters(v, {x})  --> vector_to_parameters: 4 numbers for parameters of 6
nn.utils.vector_to_parameters(v)  --> vector_to_parameters: a table of parameters expected, got nil
nn.utils.vector_to_parameters(v, {1})  --> vector_to_parameters: a table of parameters expected, element 1
nn.utils.rnn.pad_sequence()  --> pad_sequence: a table of at least one tensor expected
nn.utils.rnn.pad_sequence({})  --> pad_sequence: a table of at least one tensor expected
nn.utils.rnn.pad_sequence({1})  --> pad_sequence: element 1 must be a tensor of 1 dim or more
nn.utils.rnn.pad_sequence({x, v})  --> stack: all shapes must be equal: [4, 3] and [4]
nn.utils.rnn.pad_sequence({x}, {foo = 1})  --> pad_sequence: unknown option 'foo'
nn.utils.rnn.pad_sequence({x}, 1)  --> pad_sequence: options must be a table, got number
nn.utils.rnn.pad_sequence({x}, {padding_value = "a"})  --> pad_sequence: padding_value must be a number,
nn.utils.rnn.pad_sequence({gru.tensor(1)})  --> pad_sequence: element 1 must be a tensor of 1 dim or more
]==]
