// The screen by noVNC and the serial console by xterm.js, over WebSockets below the page's own path, which has the token in it.

const byId = id => document.getElementById(id);
const state = byId('state');

function socketUrl(name) {
    const url = new URL(name, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return url.href;
}

async function startScreen() {
    const { default: RFB } = await import('./novnc/core/rfb.js');
    const rfb = new RFB(byId('screen'), socketUrl('websockify'), { shared: true });
    rfb.scaleViewport = true;
    rfb.addEventListener('connect', () => { state.textContent = 'connected'; rfb.focus(); });
    rfb.addEventListener('disconnect', event => {
        state.textContent = event.detail.clean ? 'the machine has gone' : 'the connection is broken';
    });
    rfb.addEventListener('securityfailure', event => {
        state.textContent = event.detail.reason || 'refused';
    });
    rfb.addEventListener('desktopname', event => { document.title = event.detail.name; });
    rfb.addEventListener('credentialsrequired', () => byId('ask').showModal());
    byId('ask').addEventListener('close', () => {
        rfb.sendCredentials({ password: byId('password').value });
        byId('password').value = '';
    });
    byId('ctrlaltdel').addEventListener('click', () => { rfb.sendCtrlAltDel(); rfb.focus(); });
}

async function startConsole() {
    const [{ Terminal }, { FitAddon }] = await Promise.all([import('./xterm/xterm.mjs'), import('./xterm/addon-fit.mjs')]);
    const terminal = new Terminal({ scrollback: 5000 });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.open(byId('console'));
    fit.fit();
    addEventListener('resize', () => fit.fit());
    const socket = new WebSocket(socketUrl('console'));
    socket.binaryType = 'arraybuffer';
    socket.onmessage = event => terminal.write(new Uint8Array(event.data));
    socket.onclose = () => terminal.write('\r\n[the machine has gone]\r\n');
    const encoder = new TextEncoder();
    terminal.onData(text => socket.send(encoder.encode(text)));
    terminal.onBinary(text => socket.send(Uint8Array.from(text, each => each.charCodeAt(0))));
    terminal.focus();
}

startScreen().catch(failure => { state.textContent = 'no screen: ' + failure.message; });

if (document.body.dataset.console) {
    let started = false;
    const show = () => {
        byId('console').hidden = !byId('console').hidden;
        if (!started) {
            started = true;
            startConsole().catch(failure => { state.textContent = 'no console: ' + failure.message; });
        }
    };
    byId('toggle').hidden = false;
    byId('toggle').addEventListener('click', show);
    if (location.hash === '#console') {
        show();
    }
}
