import "uplot/dist/uPlot.min.css";
import "./styles/base.css";
import "./styles/tile.css";
import "./styles/tickets.css";
import { render } from "preact";
import { connect } from "./api/clients";
import { App } from "./app";

const root = document.getElementById("app");
if (!root) throw new Error("the page has no #app");
render(<App clients={connect(location.origin)} />, root);
