import { mount } from 'svelte';
import { backend } from '$chosen-backend';
import App from './App.svelte';
import './lib/tokens/tokens.css';
import './lib/tokens/base.css';

const target = document.getElementById('app');
if (target) mount(App, { target, props: { backend } });
