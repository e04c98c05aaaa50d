"""What the names in somebody's code reveal: which argument is the data, what is a weight, whose gradient this is.

All comparisons are of `plain` names: lower case, without underscores. Names only propose; what counts is tried.
"""

import re


def plain(name: str) -> str:
    """`dW_1` → "dw1"; `self.hidden_bias` → "hiddenbias"."""
    last = re.split(r"[.\[\]\"']+", name.rstrip("\"'] "))[-1] if not name.isidentifier() else name
    return re.sub(r"[^a-z0-9α-ωδ∇∂]", "", last.lower())


DATA = re.compile(
    r"(x|xs|xi|inputs?|inp|data|features?|samples?|images?|imgs?|a0|x0|inputdata|datax|xinput|inputx|inputs?batch|"
    r"inputlist|inputvector|example|feat|batch|xin|entradas?)$|x(tr|train|training|batch|b|mb|data|in|i|sample|values?|norm|"
    r"scaled)$|(train|training|batch|mini?batch|mb)(x|data|inputs?|images?|features?)$|trx$"
)
TARGET = re.compile(
    r"(t|ts|targets?|labels?|lbls?|ytrue|truey|yactual|actual|actuals?|truth|groundtruth|gt|expected|expectedoutput|desired|"
    r"desiredoutput|onehoty?|yonehot|onehot.*|.*onehot|yoh|yhot|yenc|yencoded|gold|answers?|yt|ybatch|batchy|yb|ymb|ydata|"
    r"yi|d|targetlist|targetvector|targetoutput|outputtrue|correct|yorig|salidas?|classes|ygt|yreal|real|teacher)$|"
    r"y(tr|train|training|batch|label|labels|target|targets|values?|sample)$|(train|training|batch|mini?batch|mb)(y|labels?|targets?)$|try$"
)
OUTPUT = re.compile(
    r"(yhat|haty|ypred|predy|preds?|predictions?|predicted|outputs?|out|outs|o|probs?|probabilit(y|ies)|p|ps|al|yprob|yprobs|"
    r"logits|scores|finaloutput|finaloutputs|outputlayer|softmaxout|softmaxoutput|aout|aoutput|result|hypothesis|h?theta|"
    r"activation|yout|youtput|ycap|predictedoutput|predvalues?|phat|q|final|lastactivation|guess|estimate|netout|score)$"
)
CACHE = re.compile(
    r"(cache|caches|cached|memory|mem|memo|saved|ctx|context|store|stored|storage|forwardcache|fwdcache|intermediates?|"
    r"values|activations?|acts|history|trace|state|states|forwardvalues|layeroutputs?|fwd|tape|forward|hiddens|tmp|res|"
    r"results?|outs|cachevalues|forwardpass|zs|as|neuronoutputs|layervalues|record)$"
)
PARAMETERS = re.compile(
    r"(p|params?|parameters?|theta|thetas|model|net|network|nn|ws|weights?|wts?|weightsbiases|layers|prm|param.*|pars)$"
)
RATE = re.compile(
    r"(lr|learningrate|learnrate|lrate|alpha|eta|rate|stepsize|step|lrn|gamma|tasaaprendizaje|ratelearning|η|α)$"
)
PENALTY = re.compile(
    r"(l2|l2reg|lambd|lambda|lam|lmbda|lmbd|reg|reglambda|lambdareg|weightdecay|wd|regstrength|regularization|regularisation|l2lambda|regparam|λ|decay|l2penalty)$"
)
SAMPLES = re.compile(
    r"(m|n|nsamples|numsamples|samples|numexamples|batchsize|bs|batchsz|minibatchsize|nexamples|num|count|size)$"
)
BATCH_SIZE = re.compile(r"(batchsize|bs|batch|batchsz|minibatchsize|minibatch|mbsize|sizeofbatch|nbatch)$")
EPOCHS = re.compile(
    r"(n|num|no|number(of)?|max|total)?(epochs?|iters?|iterations?|steps|epochcount|itr|rounds|trainingsteps|epocas)(s|num|number)?$"
)
KEEP = re.compile(r"(keepprob|keep|pkeep|keepprobability)$")
DROP = re.compile(r"(dropout|dropoutrate|droprate|dropprob|pdrop)$")
TRAINING = re.compile(r"(training|train|istraining|istrain|trainmode|mode)$")
GRADIENTS = re.compile(
    r"(grads?|gradients?|derivatives?|changestow|changes|deltas?|updates?|dparams?|gradsdict|nabla|changew)$"
)
SEED = re.compile(r"(seed|randomseed|randomstate|rngseed)$")
QUIET = re.compile(r"(printcost|verbose|plot|show|print.*|debug|display|log|show.*|plot.*)$")

SIZES = re.compile(
    r"(sizes?|layers?|layersizes?|layerdims?|layersdims?|layerssizes?|dims?|architecture|arch|topology|structure|shape|nodes|units|neurons|netsizes?|"
    r"networkstructure|networksize|layerlist|networkshape|nnarchitecture|netarch|layernodes|layersize|capas|layerunits|numneurons|nnodes|nunits)$"
)
INPUT_SIZE = re.compile(
    r"(in|input|inputs|inputsize|inputdim|inputdims|inputnodes|inputlayer|inputlayersize|inputneurons|inputunits|inputfeatures|infeatures|indim|"
    r"insize|nin|ninput|ninputs|nx|nfeatures|numinputs|numinput|numfeatures|numinputnodes|fanin|d|din|dimin|features|inputshape|nfeature|ni|nnin|"
    r"isize|idim|d0|n0|insz|xdim|dimx|inputnodessize|innodes|inodes|inunits|inchannels|ninp|numin|nodesin|prevsize|inputlen|nprev|nrows)$"
)
HIDDEN_SIZE = re.compile(
    r"(h\d?|hid|hidden|nh\d?|nhidden\d?|numhidden\d?|hiddensizes?\d?|hiddendims?\d?|hiddennodes\d?|hiddenlayers?\d?|hiddenlayersizes?\d?|hiddenneurons\d?|"
    r"hiddenunits\d?|hdim\d?|hsize\d?|hiddenlayerunits|hidden\d|hidden\dsize|hidden\dnodes|nhiddenunits\d?|nodeshidden\d?|hiddenlayer\d(size)?|numhiddenunits|numhiddennodes|hnodes|"
    r"dimhidden|nhiddenneurons|n1|n2|size\d|hs|nhid|width|hiddenwidth|units\d?|neurons\d?|numneurons\d?|h\dsize|h\ddim|hl\dsize|nhiddenlayer\d?|hid\dsize)$"
)
OUTPUT_SIZE = re.compile(
    r"(out|output|outputs|outputsize|outputdim|outputdims|outputnodes|outputlayer|outputlayersize|outputneurons|outputunits|outfeatures|outdim|outsize|nout|"
    r"noutput|noutputs|ny|nclasses|nclass|numclasses|numclass|numoutputs|numoutput|numlabels|nlabels|classes|fanout|k|c|dout|dimout|no|osize|odim|outsz|numoutputnodes|"
    r"ydim|dimy|outnodes|onodes|outunits|outchannels|kclasses|targets|labels|nnout|numout|nodesout|size|outputclasses|outputlen|ncols)$"
)
LAYER_COUNT = re.compile(r"(l|nlayers|numlayers|layercount|depth|numhiddenlayers|nhiddenlayers|numberoflayers)$")

_BIAS = re.compile(
    r"(b|bs|bias|biases|c|bh|bo|by|b[a-z]{1,2})\d*$|.*(bias|biases|intercepts?|offset)\d*$|bias.*|b[0-9].*|bs?(hidden|output|input|out|in|hid).*"
)
_WEIGHT = re.compile(
    r"(w|ws|v|u|wh|wo|wy|w[a-z]{1,4}|theta|thetas|coefs?|kernel|m)\d*$|.*(weights?|wts?|synapse|syn|synapticweights|theta|kernel|matrix)\d*.*|w[0-9a-z].*|syn\d|pesos.*|w"
)
_GRADIENT = re.compile(
    r"^(?:d[lje]?d?(?=[wbvctm]|bias|weight|theta|gamma)|dloss(?:d)?|dcost(?:d)?|deltas?|δ|∇|∂|grads?of|gradients?of|gradients?|grads?|nabla|changein|change|derivatives?|deriv|g(?=[wb]\d*$)|dj|de|dl)(.+)$"
)
_GRADIENT_AFTER = re.compile(r"^(.+?)(gradients?|grads?|deltas?|derivatives?|deriv|update|adjustments?|nabla|change)$")
_STATE = re.compile(
    r"^(v|m|s|velocity|momentum|moment|mom|rms|cache|prev|old|best|last|history|avg|ema|sq|adagrad|vel|init)(d?[wb]|weights?|bias|.*(weights?|bias))"
)
_NOISE = re.compile(r"(updates?|momentum|velocity|prev|history|best|mask|moment|optim)")


def is_bias(name: str) -> bool:
    return bool(_BIAS.match(plain(name)))


def is_weight(name: str) -> bool:
    return bool(_WEIGHT.match(plain(name))) and not is_bias(name)


def is_state(name: str) -> bool:
    """A velocity, a gradient or another array that goes with a parameter and is none."""
    word = plain(name)
    return bool(_STATE.match(word) and word not in ("v", "s", "m", "mb", "mw")) or bool(_NOISE.search(name.lower()))


def gradient_of(name: str) -> str:
    """The plain name of what `name` is the gradient of: `dW1`, `grad_w1`, `w1_grad` → "w1"; "" for none."""
    word = plain(name)
    for pattern in (_GRADIENT, _GRADIENT_AFTER):
        found = pattern.match(word)
        if found:
            inner = found.group(1)
            return gradient_of(inner) or inner
    return ""


FORWARD = re.compile(
    r"forward|feedforward|fprop|propagateforward|forwardprop|inference|^(fwd|propagate|fp|predictproba|ff|feed|call|activate|evaluatenetwork|think|computeoutput|netout|run|adelante|hypothesis|model|net|output|calculateoutput)$"
)
PREDICT = re.compile(r"^(predict|predictproba|query|output|getoutput|compute|think|neuralnet(work)?|nn|network|call)$")
BACKWARD = re.compile(
    r"backward|backprop|bprop|propagateback|^back|^(gradients?|getgradients?|computegradients?|calculategradients?|calcgradients?|computegrads?|getgrads?|grads?|bp|lossandgrads?|lossgrads?|lossandgradients?|costandgradients?|costfunction|nncostfunction|gradientfunction|costgrad|losscostgrad|calculategrads?)$|lossand|andgrad|retropropag"
)
LOSS = re.compile(
    r"loss|cost|crossentropy|^(mse|nll|bce|sse|rmse|ce|objective|criterion|error|meansquarederror|logloss|negativeloglikelihood|squarederror|computeerror|calculateerror|j|energy|xent|error(function|fn)|.*(mse|nll|bce|error))$"
)
UPDATE = re.compile(
    r"update|applygrad|^(step|optimi[sz]e|gradientdescentstep|gradientstep|descend|sgdstep|sgd|optimizerstep|adjust(weights)?|gd|learn)$"
)
TRAIN = re.compile(
    r"train|^(fit|nnmodel|model|lmodel|llayermodel|twolayermodel|sgd|gradientdescent|learn|optimi[sz]e|run|main|minibatchgradientdescent|stochasticgradientdescent|batchgradientdescent|buildmodel|entrenar|.*model|runtraining|gd)$"
)
INITIALISE = re.compile(
    r"init|^(createparams?|createparameters|makeparams?|makeparameters|randomweights|getparams|getparameters|buildparams|createnetwork|createweights|makenetwork|buildnetwork|buildmodel|create|setup|startweights|generateweights|generatewt|newparams|start|randomstart)$"
)
_SINGLE = re.compile(
    r"linear|affine|relu|sigmoid|softmax|tanh|activation|dense|conv|pool|dropout|batchnorm|layer(?!s?model|net)|fc|single|neuron|norm"
)
_NO_PASS = re.compile(
    r"numerical|check|test|deriv|prime|accuracy|plot|print|one_?hot|load|save|convert|shape|vector|_dict|dictionary|reshape|numeric|verify|show|draw|animate"
)


def role_of_function(name: str, kind: str) -> int:
    """How well a function's name suits the role `kind` ("forward", "backward", "loss", …); 0 for not at all."""
    word = plain(name)
    if kind != "train" and _NO_PASS.search(name.lower()):
        return 0
    score = 0
    if kind == "forward" and "loss" not in word and "back" not in word:
        score = 3 if FORWARD.search(word) else 1 if PREDICT.match(word) else 0
    elif kind == "backward":
        score = 3 if BACKWARD.search(word) and "descent" not in word else 0
    elif kind == "loss":
        score = (
            3
            if LOSS.search(word) and "back" not in word and not word.startswith(("d", "grad")) and "grad" not in word
            else 0
        )
    elif kind == "update":
        score = 3 if UPDATE.search(word) else 0
    elif kind == "train":
        score = 3 if TRAIN.search(word) and "split" not in word and "load" not in word else 0
    elif kind == "initialise":
        score = 3 if INITIALISE.search(word) and name != "__init__" else 0
    if (
        score
        and kind in ("forward", "backward")
        and _SINGLE.search(word)
        and "model" not in word
        and "network" not in word
    ):
        score = 1 if score == 3 and "layers" in word else 0
    return score
